import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exchange } from './api.js';
import type { Context } from './command.js';
import { CommandError } from './errors.js';
import { Replicas } from './views.js';

const Refusal = z.object({ error: z.string() });

export interface Server {
  readonly url: string;
  get<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S>>;
  post<S extends z.ZodType>(schema: S, path: string, body: unknown): Promise<z.output<S>>;
}

/** A prediction server of the environment that serves the model now; with the token that set-up generated for callers. */
export async function findServer(context: Context, environment: string, model: string | null): Promise<Server> {
  const { replicas } = await context.api.get(Replicas, `/environments/${encodeURIComponent(environment)}/replicas`);
  const found = replicas.find((one) => model === null || one.serving.some((serving) => serving.model === model && serving.version !== null)) ?? replicas[0];
  if (!found) throw new CommandError('server/unavailable', `no server of ${environment} holds a lease`, 'Start one with `perennial up`; `perennial status` shows what runs.');
  const token = await serverToken(context);
  const send = async <S extends z.ZodType>(schema: S, path: string, init: RequestInit): Promise<z.output<S>> => {
    const { response, text } = await exchange(`${found.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } }, found.url, 'server');
    const value: unknown = text === '' ? {} : JSON.parse(text);
    if (!response.ok) throw new CommandError(`server/${response.status}`, Refusal.safeParse(value).data?.error ?? `${found.url}${path} answered ${response.status}`, response.status === 404 ? 'See what serves with `perennial status`.' : 'Correct the request.');
    return schema.parse(value);
  };
  return { url: found.url, get: (schema, path) => send(schema, path, { method: 'GET' }), post: (schema, path, body) => send(schema, path, { method: 'POST', body: JSON.stringify(body) }) };
}

async function serverToken({ config, io }: Context): Promise<string> {
  const given = io.env['PERENNIAL_SERVER_TOKEN'];
  if (given) return given;
  const file = join(config.secretsDir, 'server-token');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CommandError('auth/missing', `no token for the server: ${file} cannot be read (${error instanceof Error ? error.message : String(error)})`, 'Run `perennial up` once, which makes it, or set PERENNIAL_SERVER_TOKEN.');
  }
}
