import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { z } from 'zod';
import { Prng } from '../../../runtime/prng.js';

/** A request that was not answered with 200: when it failed, and with what. */
export interface Failure { readonly status: number; readonly at: number; readonly text: string }

export interface Request { readonly url: string; readonly path: string; readonly headers: Record<string, string>; readonly body: Buffer }

const Answer = z.looseObject({ model_version: z.string(), parameters: z.looseObject({ prediction_ids: z.tuple([z.string()]) }) });

/** A client with up to `connections` requests at once, which keeps what it was answered: the id of every prediction. */
export function createLoad({ url, path, headers, body }: Request, connections: number) {
  const clients = Array.from({ length: connections }, () => new Client(url, { keepAliveTimeout: 60_000, headersTimeout: 60_000, bodyTimeout: 60_000 }));
  const idle = [...clients];
  const ids: string[] = [];
  const failures: Failure[] = [];
  const latencies: number[] = [];
  let version = 0;

  async function ask(client: Client, dueAt: number): Promise<void> {
    try {
      const { statusCode: status, body: answer } = await client.request({ method: 'POST', path, headers, body });
      const text = await answer.text();
      const at = performance.now();
      if (status !== 200) return void failures.push({ status, at, text });
      const { model_version: answered, parameters: { prediction_ids: [id] } } = Answer.parse(JSON.parse(text));
      ids.push(id);
      latencies.push(at - dueAt);
      version = Number(answered);
    } catch (error) {
      failures.push({ status: 0, at: performance.now(), text: String(error) });
    }
  }

  return {
    ids, failures, latencies,
    /** Of the latest answer. */
    get version() { return version; },

    /** Each connection sends when it was answered; gives the requests a second. */
    async closed(seconds: number, atOnce: number): Promise<number> {
      const before = ids.length;
      const began = performance.now();
      await Promise.all(clients.slice(0, atOnce).map(async (client) => { while (performance.now() - began < seconds * 1_000) await ask(client, performance.now()); }));
      return (ids.length - before) / ((performance.now() - began) / 1_000);
    },

    /** Poisson arrivals until told to stop, whether answers come or not; a request that finds no free connection waits for one. */
    async poisson(perSecond: number, seed: number, stop: AbortSignal): Promise<void> {
      const random = Prng.of(seed, 'arrivals');
      const waiting: number[] = [];
      const running = new Set<Promise<void>>();
      const dispatch = (): void => {
        while (waiting.length > 0) {
          const client = idle.pop();
          if (!client) return;
          const done = ask(client, waiting.shift() ?? 0).then(() => {
            idle.push(client);
            running.delete(done);
            dispatch();
          });
          running.add(done);
        }
      };
      for (let next = performance.now(); !stop.aborted;) {
        for (const now = performance.now(); next <= now; next += (-Math.log(1 - random.float()) / perSecond) * 1_000) waiting.push(next);
        dispatch();
        await sleep(Math.max(1, Math.min(next - performance.now(), 10)));
      }
      while (running.size > 0) await Promise.all(running);
    },

    close: () => Promise.all(clients.map((client) => client.close())),
  };
}
