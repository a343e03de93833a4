import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArchiveActivities, type Archived } from '../../activities/archive/index.js';
import { createDataActivities } from '../../activities/data/index.js';
import type { NewPrediction } from '../../stores/predictions.js';
import { addModel, digest, uuid7 } from '../stores/samples.js';
import { createDataStack, query, type DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack?.close());

const KEY = 'customer-4711';
const [gone, kept, today] = ['2026-04-01', '2026-05-01', '2026-05-05'];
const now = `${today}T12:00:00.000Z`;
const archive = () => new MockActivityEnvironment().run<[], Archived, () => Promise<Archived>>(() => createArchiveActivities(stack.deps, { keepDays: 30 }).archivePredictions({ now }));
const search = (model: string, id: string) => new MockActivityEnvironment().run(() => createDataActivities(stack.deps).findErased({ model, id }));

const prediction = (model: string, day: string, customer: string, attributes: Record<string, string> = {}): NewPrediction => {
  const at = `${day}T01:00:00.000Z`;
  return {
    id: uuid7(at), requestId: randomUUID(), model, version: 1, environment: 'production', role: 'live', generation: 1, replica: 'one', at, input: Buffer.from(JSON.stringify({ 'customer': customer, age: 42 })), inputShape: [],
    inputDigest: digest(customer), attributes, outputs: { class: 'stays', probabilities: [0.25, 0.75] },
    explanation: { method: 'shapley', baseline: 'median', steps: 8, target: 'stays', output: 0.75, baselineOutput: 0.5, gap: 0, shape: [1], attributions: { customer: 0.25 } }, latencyMs: 3.5, status: 'ok',
  };
};

async function fileOf(day: string): Promise<Map<string, Record<string, unknown>>> {
  const found = await stack.stores.predictionArchives.get('predictions', day);
  if (!found) throw new Error(`${day} is not archived`);
  const path = join(stack.folder, `${randomUUID()}.parquet`);
  await writeFile(path, await stack.artifacts.get(found.file));
  const rows = await query(`select id::varchar as id, octet_length(input) as size, input_kept, outputs, outputs_kept, attributes, explanation, erased, decode(input) as text from read_parquet('${path}')`);
  return new Map(rows.map((row) => [String(row['id']), row]));
}

test('an erased row leaves nothing of its predictions but their ids: in PostgreSQL, in the files of days that are here and of days that are not, and of what comes late', async () => {
  const { stores, artifacts } = stack;
  const model = await addModel(stores);
  const other = await addModel(stores);
  const [inFile, inBoth, byAttribute, fresh] = [prediction(model, gone, KEY), prediction(model, kept, KEY), prediction(model, kept, 'nobody', { customer: KEY }), prediction(model, today, KEY)] as const;
  const byId = prediction(model, kept, 'customer-12');
  const others = [prediction(model, gone, 'customer-1'), prediction(model, kept, 'customer-2'), prediction(other, kept, KEY)];
  await stores.predictions.insertMany([inFile, inBoth, byAttribute, fresh, byId, ...others]);
  await stores.labels.add([{ predictionId: inBoth.id, requestId: null, model, label: 'leaves', by: 'app', at: now }]);
  await archive();
  expect((await stores.predictionArchives.get('predictions', gone))?.removedAt).not.toBeNull();

  await stores.erasures.request({ id: 'by-key', model, key: KEY, columns: ['customer'], reason: 'a request', by: 'ada' });
  await stores.erasures.request({ id: 'by-id', model, key: byId.id, reason: 'a request', by: 'ada' });
  for (const id of ['by-key', 'by-id', 'by-key']) await search(model, id);

  const [erased, whole] = [{ size: '0', input_kept: 'none', outputs: null, outputs_kept: 'none', attributes: '{}', explanation: null }, { input_kept: 'whole', outputs_kept: 'whole', erased: null }];
  const [ofGone, ofKept] = [await fileOf(gone), await fileOf(kept)];
  expect(ofGone.get(inFile.id)).toMatchObject({ ...erased, erased: 'by-key' });
  for (const { id } of [inBoth, byAttribute]) expect(ofKept.get(id)).toMatchObject({ ...erased, erased: 'by-key' });
  expect(ofKept.get(byId.id)).toMatchObject({ ...erased, erased: 'by-id' });
  for (const { id } of others) expect(ofGone.get(id) ?? ofKept.get(id)).toMatchObject(whole);
  expect([...ofGone.values(), ...ofKept.values()].filter(({ id }) => id !== others[2]?.id).map((row) => JSON.stringify([row['text'], row['attributes']])).join()).not.toContain(KEY);
  for (const { id } of [inBoth, byAttribute, fresh]) {
    expect(await stores.predictions.get(id)).toMatchObject({ id, model, outputs: null, inputKept: 'none', outputsKept: 'none', attributes: {}, explanation: null });
    expect((await stores.predictions.get(id))?.input).toHaveLength(0);
  }
  expect(await stores.predictions.get(others[1]?.id ?? '')).toMatchObject({ inputKept: 'whole', outputs: { class: 'stays' } });
  expect(await stores.labels.revisions(model, inBoth.id)).toEqual([]);
  for (const day of [gone, kept]) expect(await artifacts.list(`predictions/predictions/${day}/`)).toHaveLength(1);
  expect(await stores.erasedPredictions.count('by-key')).toBe(4);
  const entries = (await stores.ledger.list(`${model}/runs`)).filter(({ action }) => action === 'predictions-erased');
  expect(entries.map(({ subject }) => subject)).toEqual([{ erasure: 'by-key', predictions: 4 }, { erasure: 'by-id', predictions: 1 }]);
  expect(JSON.stringify(entries)).not.toContain(KEY);

  // A replica that was away brings more of the day that is in S3 alone, and of one that is in both.
  const late = [prediction(model, gone, KEY), prediction(model, kept, KEY)] as const;
  await stores.predictions.insertMany(late);
  expect(await archive()).toEqual({ days: 2, removed: 1 });
  for (const [file, { id }] of [[await fileOf(gone), late[0]], [await fileOf(kept), late[1]]] as const) expect(file.get(id)).toMatchObject({ ...erased, erased: 'by-key' });
  expect((await fileOf(gone)).get(others[0]?.id ?? '')).toMatchObject(whole);
  expect(await archive()).toEqual({ days: 0, removed: 0 });
});
