import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArchiveActivities, type Archived } from '../../activities/archive/index.js';
import type { NewPrediction } from '../../stores/predictions.js';
import { addModel, digest, uuid7 } from '../stores/samples.js';
import { createDataStack, query } from './support/data.js';

let stack: Awaited<ReturnType<typeof createDataStack>>;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack?.close());

const archive = (now: string, keepDays = 400) => new MockActivityEnvironment().run<[], Archived, () => Promise<Archived>>(() => createArchiveActivities(stack.deps, { keepDays }).archivePredictions({ now }));

const prediction = (model: string, at: string): NewPrediction => ({
  id: uuid7(at), requestId: randomUUID(), model, version: 1, environment: 'production', role: 'live', generation: 1, replica: 'one', at, input: Buffer.from([0, 255, 92, 34, 0]), inputShape: [1, 5, 1],
  inputDigest: digest('input'), attributes: { light: 'night' }, outputs: { class: 'car', probabilities: [0.75, 0.25] }, latencyMs: 3.5, status: 'ok', traceId: null, caller: 'key:shop',
});

/** The rows of a day's file, as anybody reads them. */
async function readDay(log: 'predictions' | 'refusals', day: string): Promise<Record<string, unknown>[]> {
  const found = await stack.stores.predictionArchives.get(log, day);
  if (!found) throw new Error(`${day} is not archived`);
  const path = join(stack.folder, `${randomUUID()}.parquet`);
  await writeFile(path, await stack.artifacts.get(found.file));
  return query(`select *, octet_length(input) as size, hex(input) as hex from (select * from read_parquet('${path}')${log === 'refusals' ? ` cross join (select ''::blob as input)` : ''}) order by id`);
}

test('days that are over become Parquet files in S3 with every row and value; a day of which more was logged since is written again; nothing is written twice', async () => {
  const { stores, artifacts } = stack;
  const model = await addModel(stores);
  const [first, second, today] = ['2026-03-01', '2026-03-02', '2026-03-03'];
  const rows = [`${first}T00:00:00.000Z`, `${first}T23:59:59.999Z`, `${second}T12:00:00.000Z`, `${today}T01:00:00.000Z`].map((at) => prediction(model, at));
  await stores.predictions.insertMany(rows);
  await stores.refusals.insertMany([{
    id: uuid7(`${first}T08:00:00.000Z`), requestId: 'r', model, version: null, environment: 'production', role: null, generation: null, replica: 'one', at: `${first}T08:00:00.000Z`, status: 422, reason: 'it\'s "wrong"',
    rows: null, latencyMs: 0.1, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', caller: 'ada',
  }]);
  const now = `${today}T02:00:00.000Z`;
  expect(await archive(now)).toEqual({ days: 3, removed: 0 });
  expect((await stores.predictionArchives.list('predictions')).map(({ day, rows: n }) => [day, n])).toEqual([[first, 2], [second, 1]]);
  const [kept, last] = await readDay('predictions', first);
  expect(kept).toMatchObject({ id: rows[0]?.id, request_id: rows[0]?.requestId, model, version: 1, rows: 1, input_kept: 'whole', latency_ms: 3.5, hex: '00FF5C2200', trace_id: null, caller: 'key:shop' });
  expect(JSON.parse(String(kept?.['outputs']))).toEqual(rows[0]?.outputs);
  expect(JSON.parse(String(kept?.['attributes']))).toEqual({ light: 'night' });
  expect(kept?.['input_shape']).toEqual([1, 5, 1]);
  expect(String(last?.['at'])).toBe('2026-03-01 23:59:59.999');
  expect(await readDay('refusals', first)).toMatchObject([{ model, status: 422, reason: 'it\'s "wrong"', version: null, trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', caller: 'ada' }]);

  expect(await archive(now)).toEqual({ days: 0, removed: 0 });
  await stores.predictions.insertMany([prediction(model, `${second}T13:00:00.000Z`)]);
  expect(await archive(now)).toEqual({ days: 1, removed: 0 });
  expect(await readDay('predictions', second)).toHaveLength(2);
  expect(await artifacts.list(`predictions/predictions/${second}/`)).toHaveLength(1);
  expect(await stores.predictions.count({ model, environment: 'production' })).toBe(5);
});

const archived = (day: string) => stack.stores.predictionArchives.get('predictions', day);
const here = (model: string) => stack.stores.predictions.count({ model, environment: 'production' });

test('days that are old and whole in S3 leave PostgreSQL; a file that is not is written again first; what comes late is added to it, and a label is told so', async () => {
  const { stores, artifacts } = stack;
  const model = await addModel(stores);
  const [day, damaged, young] = ['2026-04-01', '2026-04-02', '2026-05-01'];
  const rows = [`${day}T01:00:00.000Z`, `${day}T02:00:00.000Z`, `${damaged}T01:00:00.000Z`, `${young}T01:00:00.000Z`].map((at) => prediction(model, at));
  await stores.predictions.insertMany(rows);
  const now = '2026-05-05T02:00:00.000Z';
  await archive(now);
  const before = await archived(damaged);
  if (!before) throw new Error('the day is not archived');
  const key = new URL(before.file.uri).pathname.slice(1);
  await artifacts.putAt(key, Buffer.from('no longer what was written'));
  const stray = `predictions/predictions/${young}/${'0'.repeat(64)}.parquet`;
  await artifacts.putAt(stray, Buffer.from('left by a run that died'));

  const { removed } = await archive(now, 30);
  expect(removed).toBeGreaterThanOrEqual(2);
  expect(await here(model)).toBe(1);
  expect((await archived(day))?.removedAt).not.toBeNull();
  expect((await archived(young))?.removedAt).toBeNull();
  expect((await readDay('predictions', damaged)).map(({ id }) => id)).toEqual([rows[2]?.id]);
  expect(await artifacts.list(`predictions/predictions/${young}/`)).not.toContain(stray);
  expect(await archive(now, 30)).toEqual({ days: 0, removed: 0 });

  const label = (id: string | undefined) => ({ predictionId: id ?? '', requestId: null, model, label: 'car', by: 'app', at: now });
  expect(await stores.labels.add([label(rows[0]?.id), label(rows[3]?.id)])).toEqual({ accepted: 2, unknown: [], removed: [rows[0]?.id], changed: 0 });
  expect(await stores.predictions.countLabelled({ model, environment: 'production', version: 1 })).toBe(1);

  const late = prediction(model, `${day}T03:00:00.000Z`);
  await stores.predictions.insertMany([late]);
  expect(await archive(now, 30)).toEqual({ days: 1, removed: 1 });
  expect((await readDay('predictions', day)).map(({ id }) => id).sort()).toEqual([rows[0]?.id, rows[1]?.id, late.id].sort());
  expect(await archived(day)).toMatchObject({ rows: 3 });
  expect(await artifacts.list(`predictions/predictions/${day}/`)).toHaveLength(1);
  expect(await here(model)).toBe(1);
});

test('a day of which more came while it was compared stays', async () => {
  const { stores } = stack;
  const model = await addModel(stores);
  const at = '2026-06-01T01:00:00.000Z';
  await stores.predictions.insertMany([prediction(model, at), prediction(model, at)]);
  expect(await stores.predictionArchives.holdingDay('predictions', '2026-06-01', (held) => held.remove(1))).toBe(false);
  expect(await here(model)).toBe(2);
});
