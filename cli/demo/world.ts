import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Context } from '../command.js';
import { createContext } from '../command.js';
import { exchange } from '../api.js';
import type { Io } from '../io.js';
import { runCommandLine } from '../program.js';
import { ModelView, Replicas } from '../views.js';
import { createCameras } from './camera.js';
import type { Cameras } from './camera.js';

/** The running stack as the story uses it: commands as people type them, the gateway, and the production server. */
export interface World {
  readonly context: Context;
  /** Runs a `perennial` command line in this process; throws with what it said when it fails. */
  perennial(...args: string[]): Promise<string>;
  cameras(environment: string, model: string): Promise<Cameras>;
  /** Waits until a value is there; the story never goes on by time alone. */
  until<T>(what: string, look: () => Promise<T | null | undefined | false>, timeoutMs?: number): Promise<T>;
  /** Waits until every answered prediction is in PostgreSQL. */
  logShipped(environment: string): Promise<void>;
  model(name: string): Promise<ModelView>;
}

export function createWorld(io: Io): World {
  const context = createContext(io, false);

  const serverOf = async (environment: string) => {
    const { replicas } = await context.api.get(Replicas, `/environments/${environment}/replicas`);
    const url = replicas[0]?.url;
    if (url === undefined) throw new Error(`no server of ${environment} holds a lease`);
    return { url, token: (await readFile(join(context.config.secretsDir, 'server-token'), 'utf8')).trim() };
  };
  const until: World['until'] = async (what, look, timeoutMs = 60_000) => {
    for (const end = Date.now() + timeoutMs; ; await sleep(250)) {
      const seen = await look();
      if (seen !== null && seen !== undefined && seen !== false) return seen;
      if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    }
  };

  return {
    context, until,
    async perennial(...args) {
      let said = '';
      let complained = '';
      const code = await runCommandLine(args, { ...io, isTerminal: false, out: (text) => { said += text; }, err: (text) => { complained += text; }, ask: null });
      if (code !== 0) throw new Error(`perennial ${args.join(' ')} ended with ${code}: ${complained || said}`);
      return said.trim();
    },
    async cameras(environment, model) {
      return createCameras({ ...(await serverOf(environment)), model });
    },
    async logShipped(environment) {
      const { url, token } = await serverOf(environment);
      await until('the prediction log to reach PostgreSQL', async () => {
        const { text } = await exchange(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } }, url, 'server');
        const pending = /^perennial_prediction_log_unshipped_bytes (\d+)$/m.exec(text)?.[1];
        if (pending === undefined) throw new Error(`${url}/metrics says nothing of the log`);
        return pending === '0';
      });
    },
    model: (name) => context.api.get(ModelView, `/models/${name}`),
  };
}

export const Check = z.object({
  id: z.string(), version: z.int(), verdict: z.enum(['ok', 'findings', 'inconclusive']), labels: z.int(),
  report: z.object({ classification: z.object({ n: z.int(), accuracy: z.number().nullable(), perClass: z.array(z.object({ class: z.string(), precision: z.number().nullable(), recall: z.number().nullable(), f1: z.number().nullable(), support: z.int() })) }) }),
});
export type Check = z.infer<typeof Check>;
export const FullChecks = z.object({ checks: z.array(Check) });
