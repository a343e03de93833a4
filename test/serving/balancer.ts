import { Agent, request } from 'node:http';
import type { InferAnswer } from './support.js';

/** How often each replica is asked whether it is ready. */
const PROBE_MS = 100;

/** What stands before replicas in production, made small: it asks each whether it is ready, and spreads requests over those that are, on connections that it keeps. It tries nothing twice. */
export function createBalancer(addresses: () => Promise<readonly string[]>, { path, token }: { path: string; token: string }) {
  const agent = new Agent({ keepAlive: true });
  let ready: readonly string[] = [];
  let probing = Promise.resolve();
  let turn = 0;

  async function probe(): Promise<void> {
    const found = await addresses();
    const answers = await Promise.all(found.map((url) => call(`${url}/v2/health/ready`).then(({ status }) => status === 200, () => false)));
    ready = found.filter((_, at) => answers[at]);
  }
  const timer = setInterval(() => { probing = probing.then(probe); }, PROBE_MS);

  function call(url: string, body?: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) } }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).once('end', () => { resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }); }).once('error', reject);
      });
      asked.once('error', reject).end(body);
    });
  }

  return {
    ready: () => ready,
    /** Asks without pause over some connections, and counts. */
    run(body: string, connections: number) {
      let going = true;
      const ids: string[] = [];
      const failures: string[] = [];
      const loops = Promise.all(Array.from({ length: connections }, async () => {
        while (going) {
          const url = ready[(turn += 1) % ready.length];
          try {
            if (url === undefined) throw new Error('no replica is ready');
            const answer = await call(`${url}${path}`, body);
            if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`);
            ids.push(...(JSON.parse(answer.body) as InferAnswer).parameters.prediction_ids);
          } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
          }
        }
      }));
      return { ids, failures, stop: async () => { going = false; await loops; } };
    },
    close(): void {
      clearInterval(timer);
      agent.destroy();
    },
  };
}
