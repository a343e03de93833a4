import { randomUUID } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { until } from '../../support/until.js';
import { counted, freePort, heldBy, startServerProcess, usedBytes } from '../server-process.js';
import { goldenPicture, imageInput, infer, type Fixture } from '../support.js';
import { passenger, routeModels } from '../tables.js';
import { judge } from './judge.js';
import type { FuzzRequest } from './request.js';
import { fuzzRequests, type Material } from './requests.js';
import { send } from './send.js';

export interface FuzzOptions {
  /** At least so many requests are sent. */
  readonly requests: number;
  readonly seed: number;
  /** A run is of up to this many requests at the same time, and an ordinary one after them. */
  readonly atOnce?: number;
}

/** What the log may hold beyond what was answered: requests whose clients left before the answer. */
const MOST_UNSEEN = 4_000;
const RUNS = 200;
/** Objects and buffers in use after as before; resident memory, which stays with a process for the next large body, within bounds. */
const MEMORY = { used: 1.1, usedMore: 4 * 1024 ** 2, resident: 1.5, residentMore: 256 * 1024 ** 2 } as const;
const MORE_OPEN = 8;

/**
 * Sends fuzzed requests to a server of its own and checks every answer; that the server answers as ever between them; and afterwards that its
 * processes are the same, hold no more than before, and that the log holds what was answered and nothing else.
 */
export async function fuzz(fixture: Fixture, { requests, seed, atOnce = 12 }: FuzzOptions): Promise<void> {
  const { environment, ...models } = await routeModels(fixture);
  const port = await freePort(environment);
  const server = await startServerProcess(fixture, environment, port);
  const url = `http://127.0.0.1:${port}`;
  try {
    await fuzzServer(fixture, { server, url, port, environment, models, requests, seed, atOnce });
    server.kill('SIGTERM');
    expect((await once(server, 'exit'))[0]).toBe(0);
  } finally {
    server.kill('SIGKILL');
  }
}

interface UnderTest { readonly server: ChildProcess; readonly url: string; readonly port: number; readonly environment: string; readonly models: { readonly pictures: string; readonly table: string; readonly prices: string } }

async function fuzzServer(fixture: Fixture, { server, url, port, environment, models, requests, seed, atOnce }: UnderTest & Required<FuzzOptions>): Promise<void> {
  const golden = goldenPicture(fixture.trained);
  const { pid = 0 } = server;
  const predictions = new Set<string>();
  let [sent, refusals, asked] = [0, 0, 0];
  const keep = (ids: readonly string[]) => {
    for (const id of ids) {
      if (predictions.has(id)) throw new Error(`prediction ${id} was given twice`);
      predictions.add(id);
    }
  };

  async function ordinary(): Promise<void> {
    asked += 1;
    const { outputs, parameters } = await infer(url, fixture.token, models.pictures, { inputs: [imageInput(golden.pixels)] });
    const found = (outputs[0]?.data ?? []).map(Number);
    if (golden.probabilities.some((value, at) => Math.abs(value - (found[at] ?? NaN)) > 1e-4)) throw new Error(`an ordinary request is answered ${JSON.stringify(outputs)}`);
    keep(parameters.prediction_ids);
  }

  const material = await materialOf(fixture, url, { environment, ...models });
  keep([material.prediction]);
  const property = fc.asyncProperty(fc.array(fuzzRequests(material), { minLength: 1, maxLength: atOnce, size: 'max' }), async (list: FuzzRequest[]) => {
    sent += list.length;
    const answers = await Promise.all(list.map((request) => send(port, request)));
    list.forEach((request, at) => {
      const account = judge(request, answers[at] ?? null);
      keep(account.predictions);
      refusals += account.refusals;
    });
    await ordinary();
  });
  let round = 0;
  const run = async (wanted: number) => { for (; sent < wanted; round += 1) await fc.assert(property, { seed: seed + round, numRuns: Math.min(RUNS, Math.ceil((wanted - sent) / 4)) }); };

  await run(requests / 4);
  await sleep(1_000);
  const before = { ...heldBy(pid), used: await usedBytes(server) };
  await run(requests);
  await until(() => { // connections that were cut are noticed a moment later
    const { open } = heldBy(pid);
    open.forEach((count, at) => { expect(count).toBeLessThanOrEqual((before.open[at] ?? 0) + MORE_OPEN); });
  });
  const after = { ...heldBy(pid), used: await usedBytes(server) };
  expect(after.pids).toEqual(before.pids);
  expect(await counted(url, 'runner_events_total')).toBe(0);
  after.bytes.forEach((bytes, at) => { expect(bytes).toBeLessThan((before.bytes[at] ?? 0) * MEMORY.resident + MEMORY.residentMore); });
  expect(after.used).toBeLessThan(before.used * MEMORY.used + MEMORY.usedMore);

  const { stores, db } = fixture.database;
  const all = [models.pictures, models.table, models.prices];
  const logged = async () => (await Promise.all(all.map((model) => stores.predictions.count({ model, environment })))).reduce((sum, count) => sum + count, 0);
  await until(async () => {
    const [row] = await db.query<{ n: number }>('select count(*) as n from predictions where environment = $1 and id = any($2::uuid[])', [environment, [...predictions]]);
    expect(row?.n).toBe(predictions.size);
  });
  const told = await counted(url, 'refusals_total', /status="(?!401|421|429)/);
  await until(async () => {
    const [row] = await db.query<{ n: number }>('select count(*) as n from refusals where environment = $1', [environment]);
    expect(row?.n).toBe(told);
  });
  expect(told).toBeGreaterThanOrEqual(refusals);
  process.stdout.write(`${sent} fuzzed requests and ${asked} ordinary ones between them: ${predictions.size} predictions and ${refusals} refusals were answered, the log holds ${await logged()} and ${told}; in use ${mb([before.used])} MB before and ${mb([after.used])} after; resident, server and runners, ${mb(before.bytes)} and ${mb(after.bytes)}; open files ${before.open.join(', ')} and ${after.open.join(', ')}\n`);
  expect(told - refusals).toBeLessThan(MOST_UNSEEN);
}

const mb = (bytes: readonly number[]): string => bytes.map((one) => (one / 1024 ** 2).toFixed(0)).join(', ');

async function materialOf(fixture: Fixture, url: string, { environment, pictures, table, prices }: { environment: string; pictures: string; table: string; prices: string }): Promise<Material> {
  const { stores } = fixture.database;
  const { pixels } = goldenPicture(fixture.trained);
  const key = async (models: string[], more: { expiresAt?: string; daily?: number }) => {
    const { secret } = await stores.apiKeys.create({ name: `key-${randomUUID().slice(0, 8)}`, environment, models, scopes: ['predict'], ratePerSecond: null, daily: null, expiresAt: null, ...more }, { by: 'test', id: randomUUID() });
    return secret;
  };
  const { token: labelsOnly } = await stores.principals.createToken({ principal: 'client', scopes: ['label'], name: 'labels' });
  const raw = { raw: { width: 32, height: 32, channels: 3 as const } };
  const { parameters } = await infer(url, fixture.token, table, { inputs: Object.entries(passenger).map(([name, value]) => ({ name, datatype: typeof value === 'number' ? 'FP64' : typeof value === 'boolean' ? 'BOOL' : 'BYTES', shape: [1], data: [value] })) });
  return {
    pictures, table, prices, token: fixture.token, pixels, prediction: parameters.prediction_ids[0] ?? '',
    wrongTokens: ['', 'nobody', 'x'.repeat(600), 'Basic dXNlcjpwYXNz', 'Bearer ', 'pnk_nobody', '\u00ff', labelsOnly, await key([prices], {}), await key([table], { daily: 1 })],
    files: {
      png: Buffer.from(encode({ width: 32, height: 32, channels: 3, data: Uint8Array.from(pixels) })),
      jpeg: await sharp(Uint8Array.from(pixels), raw).jpeg().toBuffer(), webp: await sharp(Uint8Array.from(pixels), raw).webp().toBuffer(),
    },
  };
}
