import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig, type Config } from '../infra/config.js';
import { CommandError } from './errors.js';

/** Nothing waits longer than this for a part that is away. */
export const ANSWER_MS = 5_000;

/** A file may take as long as its way is slow. */
const FILE_MS = 600_000;

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string(), next: z.string(), details: z.record(z.string(), z.unknown()).optional() }) });

export interface Api {
  readonly url: string;
  get<S extends z.ZodType>(schema: S, path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<z.output<S>>;
  post<S extends z.ZodType>(schema: S, path: string, body: unknown): Promise<z.output<S>>;
  put<S extends z.ZodType>(schema: S, path: string, body: unknown): Promise<z.output<S>>;
  /** An answer that is no JSON, as it is. */
  text(path: string): Promise<string>;
  /** Sends a file as it is. */
  upload<S extends z.ZodType>(schema: S, path: string, file: Uint8Array): Promise<z.output<S>>;
  /** A file. */
  bytes(path: string): Promise<Uint8Array>;
}

/** The address and state folder in force; no part has to be known for it. */
export function cliConfig(env: NodeJS.ProcessEnv, cwd: string): Config {
  return loadConfig({ env, cwd, need: [] });
}

/**
 * The gateway's API with the token that set-up generated (`PERENNIAL_TOKEN` overrides it).
 * @throws CommandError when the gateway is away, or with what it answered
 */
export function createApi(config: Pick<Config, 'gateway' | 'secretsDir'>, env: NodeJS.ProcessEnv): Api {
  let token: Promise<string> | undefined;
  const addressed = async (path: string) => ({ url: `${config.gateway.url}/api/v1${path}`, authorization: `Bearer ${await (token ??= loadToken(config.secretsDir, env))}` });
  const ask = async (method: string, path: string, body?: unknown): Promise<{ url: string; text: string }> => {
    const { url, authorization } = await addressed(path);
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const { response, text } = await exchange(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }, config.gateway.url);
    if (!response.ok) throw refusal(response.status, text, url);
    return { url, text };
  };
  const send = async <S extends z.ZodType>(schema: S, method: string, path: string, body?: unknown): Promise<z.output<S>> => {
    const { url, text } = await ask(method, path, body);
    return readAs(schema, text, url);
  };
  return {
    url: config.gateway.url,
    get: (schema, path, query = {}) => {
      const wanted = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) if (value !== undefined) wanted.set(name, String(value));
      return send(schema, 'GET', wanted.size > 0 ? `${path}?${wanted.toString()}` : path);
    },
    post: (schema, path, body) => send(schema, 'POST', path, body),
    put: (schema, path, body) => send(schema, 'PUT', path, body),
    text: async (path) => (await ask('GET', path)).text,
    upload: async (schema, path, file) => {
      const { url, authorization } = await addressed(path);
      const { response, bytes } = await exchangeBytes(url, { method: 'POST', headers: { authorization, 'content-type': 'application/octet-stream' }, body: Buffer.from(file) }, config.gateway.url, 'gateway', FILE_MS);
      const text = new TextDecoder().decode(bytes);
      if (!response.ok) throw refusal(response.status, text, url);
      return readAs(schema, text, url);
    },
    bytes: async (path) => {
      const { url, authorization } = await addressed(path);
      const { response, bytes } = await exchangeBytes(url, { headers: { authorization } }, config.gateway.url, 'gateway', FILE_MS);
      if (!response.ok) throw refusal(response.status, new TextDecoder().decode(bytes), url);
      return bytes;
    },
  };
}

/** One HTTP exchange within {@link ANSWER_MS}; `part` names who is away where there is no answer. */
export async function exchange(url: string, init: RequestInit, where: string, part = 'gateway', ms = ANSWER_MS): Promise<{ response: Response; text: string }> {
  const { response, bytes } = await exchangeBytes(url, init, where, part, ms);
  return { response, text: new TextDecoder().decode(bytes) };
}

async function exchangeBytes(url: string, init: RequestInit, where: string, part: string, ms: number): Promise<{ response: Response; bytes: Uint8Array }> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ms) });
    return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    const distrust = distrustOf(error);
    if (distrust !== null) throw new CommandError(`${part}/certificate`, `the certificate of the ${part} at ${where} is not trusted (${distrust})`, 'Name the authority\'s file in NODE_EXTRA_CA_CERTS, and the certificate\'s host in the address.');
    const late = error instanceof Error && error.name === 'TimeoutError';
    throw new CommandError(`${part}/unavailable`, `the ${part} at ${where} ${late ? `did not answer within ${ms / 1000} s` : 'does not answer'}`, 'Start it with `perennial up`; `perennial status` shows what runs.');
  }
}

/** Why a connection was given up before anything was asked: the words of OpenSSL, or of Node where the host is another. */
function distrustOf(error: unknown): string | null {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return null;
  return /CERT|^UNABLE_TO_(VERIFY|GET_ISSUER)/.test(cause.code) ? cause.message : null;
}

function readAs<S extends z.ZodType>(schema: S, text: string, url: string): z.output<S> {
  const parsed = schema.safeParse(text === '' ? {} : parseJson(text, url));
  if (!parsed.success) throw new CommandError('gateway/answer', `${url} answered in a form this version does not know: ${z.prettifyError(parsed.error)}`, 'Use the command line and the gateway of one version.');
  return parsed.data;
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError('gateway/answer', `${url} did not answer in JSON (${error instanceof Error ? error.message : String(error)})`, 'Is another program listening there? See `perennial status`.');
  }
}

function refusal(status: number, text: string, url: string): CommandError {
  const parsed = ErrorBody.safeParse(parseJson(text, url));
  if (!parsed.success) return new CommandError('gateway/answer', `${url} answered ${status}`, 'See the gateway\'s log.');
  const { code, message, next, details } = parsed.data.error;
  return new CommandError(code, message, next, details);
}

async function loadToken(secretsDir: string, env: NodeJS.ProcessEnv): Promise<string> {
  const given = env['PERENNIAL_TOKEN'];
  if (given) return given;
  const file = join(secretsDir, 'cli-token');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CommandError('auth/missing', `no token: ${file} cannot be read (${error instanceof Error ? error.message : String(error)})`, 'Run `perennial up` once, which makes it, or set PERENNIAL_TOKEN.');
  }
}
