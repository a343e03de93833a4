import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { PerennialError } from '../../contract/errors.js';
import { ServingError } from '../../serving/errors.js';
import { createCopier } from '../../serving/log/copier.js';
import { createPredictionLog, type PredictionLogOptions } from '../../serving/log/prediction-log.js';
import type { LoggedPrediction, LoggedRequest } from '../../serving/log/record.js';
import type { LoggedRefusal } from '../../serving/log/refusal.js';
import type { Sink } from '../../serving/log/shipper.js';
import { until } from '../support/until.js';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'perennial-log-')); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

const request = (requestId: string, rows = 1): LoggedRequest => ({
  ids: Array.from({ length: rows }, () => uuidv7()), requestId, model: 'car-truck', version: 1, environment: 'production', role: 'live', generation: 1, replica: 'one', at: new Date().toISOString(),
  inputShape: [2], attributes: {}, classes: Array.from({ length: rows }, () => 'car'), probabilities: Array.from({ length: rows }, () => [0.75, 0.25]), latencyMs: 1, input: Uint8Array.from({ length: rows * 2 }, (_, at) => at),
});
const refusal = (requestId: string): LoggedRefusal => ({
  kind: 'refusal', id: uuidv7(), requestId, model: 'car-truck', version: null, environment: 'production', role: null, generation: null, replica: 'one', at: new Date().toISOString(),
  status: 422, reason: 'Input "image" has no rows.', rows: null, latencyMs: 1, traceId: null, caller: null,
});
const away = new PerennialError('database/unavailable', 'PostgreSQL is away');

/** A log whose database is the failure under test. */
function open({ sink, ...options }: Partial<PredictionLogOptions> & { sink?: Sink } = {}) {
  const kept: LoggedPrediction[] = [];
  const refusals: LoggedRefusal[] = [];
  const problems: string[] = [];
  const log = createPredictionLog({ dir, shipEveryMs: 10, copier: createCopier(sink ?? (async (shipped) => { kept.push(...shipped.predictions); refusals.push(...shipped.refusals); })), onProblem: (message) => problems.push(message), ...options });
  return { kept, refusals, problems, log };
}

/** Leaves a folder as a process that was killed does. */
async function leave(requests: LoggedRequest[]): Promise<string> {
  const { log } = open({ sink: () => Promise.reject(away), shipEveryMs: 60_000 }); // one segment, however slow the machine is
  const writing = await log;
  for (const one of requests) await writing.append(one);
  await writing.close(0);
  const [own = ''] = readdirSync(dir);
  renameSync(join(dir, own), join(dir, 'gone-1-1'));
  const [segment = ''] = readdirSync(join(dir, 'gone-1-1')).sort();
  return join(dir, 'gone-1-1', segment);
}

test('rows of a request are kept one by one, each with its own input', async () => {
  const { log, kept } = open();
  const writing = await log;
  await writing.append(request('a', 2));
  await until(() => expect(kept).toHaveLength(2));
  expect(kept.map(({ input }) => [...input])).toEqual([[0, 1], [2, 3]]);
  await writing.close();
  expect(writing.lag().bytes).toBe(0);
});

test('records of any size, one by one or at once, are kept in their order while segments come and go', async () => {
  const { log, kept } = open({ shipEveryMs: 1, segmentBytes: 600_000 });
  const writing = await log;
  const asked: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const together = Array.from({ length: 1 + (round % 4) }, (_, at) => `${round}-${at}`);
    asked.push(...together);
    // Every third round one of them is too large for the thread that answers to write it.
    await Promise.all(together.map((id, at) => writing.append({ ...request(id), input: new Uint8Array(round % 3 === 0 && at === 0 ? 300_000 : 2).fill(round) })));
  }
  await writing.close();
  expect(kept.map(({ requestId }) => requestId)).toEqual(asked);
  for (const { requestId, input } of kept) expect(new Set(input)).toEqual(new Set([Number(requestId.split('-')[0])]));
  expect(writing.lag().bytes).toBe(0);
});

test('what a killed process left is copied, up to the record it was writing', async () => {
  const segment = await leave([request('a'), request('b'), request('c')]);
  truncateSync(segment, readFileSync(segment).length - 3);
  const { log, kept } = open();
  const writing = await log;
  await until(() => expect(kept.map(({ requestId }) => requestId)).toEqual(['a', 'b']));
  await writing.close();
  expect(readdirSync(dir)).not.toContain('gone-1-1');
});

test('a damaged record costs no other one, and its file is kept', async () => {
  const segment = await leave([request('a'), request('b')]);
  const bytes = readFileSync(segment);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(segment, bytes);
  const { log, kept, problems } = open();
  const writing = await log;
  await until(() => expect(kept.map(({ requestId }) => requestId)).toEqual(['b']));
  await writing.close();
  expect(problems.join()).toContain('damaged');
  expect(readdirSync(join(dir, 'gone-1-1'))[0]).toMatch(/\.damaged$/);
});

test('records that the database refuses are set aside and hold up no other; it is said once, with how many and why', async () => {
  const kept: string[] = [];
  const problems: string[] = [];
  const { log } = open({
    shipEveryMs: 60_000, onProblem: (message, error) => problems.push(`${message}: ${String(error)}`),
    sink: async ({ predictions }) => {
      const bad = predictions.find((row) => row.requestId.startsWith('bad'));
      if (bad) throw new Error(`${bad.requestId} violates a constraint`);
      kept.push(...predictions.map((row) => row.requestId));
    },
  });
  const writing = await log;
  await Promise.all(['a', 'bad-1', 'b', 'bad-2'].map((id) => writing.append(request(id))));
  await writing.close();
  expect(kept).toEqual(['a', 'b']);
  expect(problems).toEqual(['the database refused 2 of 4 records, first the predictions of request bad-1; they are kept in refused.frames: Error: bad-1 violates a constraint']);
  expect(readFileSync(join(dir, 'refused.frames')).length).toBeGreaterThan(0);
});

test('a log that may not grow further refuses, and takes requests again once it was copied', async () => {
  let there = false;
  const { log, problems } = open({ maximumBytes: 300, sink: async () => { if (!there) throw away; } });
  const writing = await log;
  await writing.append(request('a'));
  await until(() => expect(problems).toHaveLength(1));
  const refused: unknown = await writing.append(request('b')).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ServingError);
  expect(refused).toMatchObject({ status: 503, retryAfter: 5 });
  there = true;
  await until(() => writing.append(request('c')));
  await writing.close();
});

test('refusals are kept among predictions, and leave the last of the room to them: then they are counted', async () => {
  let there = false;
  const { log, refusals, kept } = open({ maximumBytes: 4_000, sink: async (shipped) => { if (!there) throw away; refusals.push(...shipped.refusals); kept.push(...shipped.predictions); } });
  const writing = await log;
  for (let number = 0; writing.lostRefusals === 0; number += 1) await writing.appendRefusal(refusal(`r${number}`));
  const taken = writing.lag().bytes;
  await writing.append(request('a'));
  expect(writing.lag().bytes).toBeGreaterThan(taken);
  expect(taken).toBeLessThan(4_000);
  there = true;
  await until(() => expect(writing.lag().bytes).toBe(0));
  expect(kept).toHaveLength(1);
  expect(refusals[0]).toEqual({ ...refusal('r0'), id: refusals[0]?.id, at: refusals[0]?.at });
  await writing.appendRefusal(refusal('late'));
  await writing.close();
  expect(refusals.at(-1)?.requestId).toBe('late');
  expect(writing.lostRefusals).toBe(1);
});

test('a folder whose process still runs is left to it', async () => {
  const { log: first } = open({ sink: () => Promise.reject(away) });
  await (await first).append(request('a'));
  const [own = ''] = readdirSync(dir);
  const other = own.replace(/-\d+-/, '-1-').replace(/-\d+$/, `-${startOfInit()}`);
  mkdirSync(join(dir, other));
  appendFileSync(join(dir, other, '0000000000.log'), 'x');
  const { log: second } = open();
  const writing = await second;
  await new Promise((wake) => setTimeout(wake, 60));
  await writing.close();
  expect(readdirSync(join(dir, other))).toEqual(['0000000000.log']);
  await (await first).close(0);
});

function startOfInit(): string {
  const line = readFileSync('/proc/1/stat', 'utf8');
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
