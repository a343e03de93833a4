import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Dispatcher } from 'undici';
import { quantiles } from '../../domain/quantiles.js';
import { Prng } from '../../runtime/prng.js';
import { LoadTask, type LoadResult } from './load-task.js';

/** A load generator in a process of its own: what it costs is nobody else's time. */
const task = LoadTask.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
const bodies = await Promise.all(task.bodies.map((file) => readFile(file)));
const clients = Array.from({ length: task.connections }, () => new Client(task.url, { pipelining: 1, keepAliveTimeout: 60_000, bodyTimeout: 60_000, headersTimeout: 60_000 }));

let sent = 0;
let counting = false;
let failed = 0;
const latencies: number[] = [];

/** Sends the next body; resolves when its answer is whole. `due`: when it should have been sent. */
function send(client: Client, due = performance.now()): Promise<void> {
  const body = bodies[sent++ % bodies.length];
  return new Promise((resolve) => {
    let status = 0;
    const end = (ok: boolean) => {
      if (counting && ok) latencies.push(performance.now() - due);
      else if (counting) failed += 1;
      resolve();
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => { status = statusCode; },
      onResponseData: () => undefined,
      onResponseEnd: () => { end(status === 200); },
      onResponseError: () => { end(false); },
    };
    client.dispatch({ path: task.path, method: 'POST', headers: task.headers, body: body ?? null }, handler);
  });
}

async function closedLoop(until: () => boolean): Promise<void> {
  await Promise.all(clients.map(async (client) => { while (!until()) await send(client); }));
}

/** Exponential gaps; a timer that is late sends what is due by then. A request waits for a free connection, and that counts. */
async function poisson(perSecond: number, seed: number, seconds: number): Promise<void> {
  const random = Prng.of(seed, 'arrivals');
  const idle = [...clients];
  const waiting: number[] = [];
  const running = new Set<Promise<void>>();
  const dispatch = () => {
    while (waiting.length > 0) {
      const client = idle.pop();
      if (!client) return;
      const done = send(client, waiting.shift()).then(() => {
        idle.push(client);
        running.delete(done);
        dispatch();
      });
      running.add(done);
    }
  };
  const start = performance.now();
  let next = start;
  for (;;) {
    const now = performance.now();
    for (; next <= now && next < start + seconds * 1_000; next += -Math.log(1 - random.float()) / perSecond * 1_000) waiting.push(next);
    dispatch();
    if (next >= start + seconds * 1_000) break;
    await sleep(Math.max(0, Math.min(next - performance.now(), 5)));
  }
  while (running.size > 0) await Promise.all(running);
}

await closedLoop(() => sent >= task.warmUp);
counting = true;
const began = performance.now();
if (task.arrivals === 'closed') await closedLoop(() => performance.now() - began >= task.seconds * 1_000);
else await poisson(task.arrivals.perSecond, task.arrivals.seed, task.seconds);
const seconds = (performance.now() - began) / 1_000;
const [p50, p99] = quantiles(latencies, [0.5, 0.99]);
process.stdout.write(`${JSON.stringify({ answered: latencies.length, failed, perSecond: latencies.length / seconds, p50: p50 ?? NaN, p99: p99 ?? NaN } satisfies LoadResult)}\n`);
await Promise.all(clients.map((client) => client.destroy()));
