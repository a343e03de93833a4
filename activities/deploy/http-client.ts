import { Agent, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';

export interface Answer { readonly status: number; readonly body: string; readonly latencyMs: number }

/** HTTP with kept-alive connections, at most `connections` at a time; small enough that the figures are the server's and not the client's. */
export function createHttpClient(base: string, { token, connections, timeoutMs = 15_000 }: { token: string; connections: number; timeoutMs?: number }) {
  const secure = base.startsWith('https:');
  const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: connections });
  const send = secure ? secureRequest : request;

  function ask(method: 'GET' | 'POST', path: string, body: Buffer | null, bearer: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const headers = { authorization: `Bearer ${bearer}`, ...(body ? { 'content-type': 'application/json', 'content-length': body.length } : {}) };
      const asked = send(`${base}${path}`, { method, agent, headers, timeout: timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), latencyMs: performance.now() - startedAt }));
      });
      asked.on('timeout', () => asked.destroy(new Error(`no answer from ${base} within ${timeoutMs} ms`)));
      asked.on('error', reject);
      asked.end(body ?? undefined);
    });
  }

  return {
    get: (path: string, bearer = token) => ask('GET', path, null, bearer),
    post: (path: string, body: Buffer, bearer = token) => ask('POST', path, body, bearer),
    close: () => agent.destroy(),
  };
}
export type HttpClient = ReturnType<typeof createHttpClient>;
