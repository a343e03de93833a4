import type { TestEnvironmentReport } from '../../contract/evaluation.js';
import { createHttpClient } from './http-client.js';

/** Sends requests over `connections` connections, each as fast as it is answered, for `seconds`. An answer other than 200 is an error. */
export async function load({ url, token, path, bodies, seconds, connections, signal }: { url: string; token: string; path: string; bodies: readonly Buffer[]; seconds: number; connections: number; signal: AbortSignal }): Promise<TestEnvironmentReport['load']> {
  const client = createHttpClient(url, { token, connections });
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let requests = 0;
  let errors = 0;
  const one = async (first: number): Promise<void> => {
    for (let turn = first; performance.now() < until; turn += connections) {
      signal.throwIfAborted();
      const body = bodies[turn % bodies.length];
      if (!body) return;
      requests += 1;
      try {
        if ((await client.post(path, body)).status !== 200) errors += 1;
      } catch {
        errors += 1; // counted: a broken connection is what the load is to find
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, (_, index) => one(index)));
  } finally {
    client.close();
  }
  const took = (performance.now() - startedAt) / 1_000;
  return { seconds: round(took), connections, requests, errors, requestsPerSecond: round(requests / took) };
}

export const round = (value: number): number => Math.round(value * 1_000) / 1_000;
