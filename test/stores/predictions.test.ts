import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewLabel } from '../../stores/labels.js';
import type { NewPrediction } from '../../stores/predictions.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { digest, uuid7 } from './samples.js';

let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase({ max: 12 }); });
afterAll(() => t.drop());

const NOON = '2026-11-21T12:00:00.000Z';
const later = (ms: number, from = NOON) => new Date(Date.parse(from) + ms).toISOString();
const modelName = () => `m-${randomUUID().slice(0, 8)}`;
const prediction = (model: string, more: Partial<NewPrediction> = {}): NewPrediction => {
  const at = more.at ?? NOON;
  return {
    id: uuid7(at), requestId: randomUUID(), model, version: 1, environment: 'production', role: 'live', generation: 1, replica: 'one', at, input: Buffer.from([0, 255, 92, 34, 0]), inputShape: [1, 5, 1],
    inputDigest: digest('input'), attributes: { light: 'night' }, outputs: { class: 'car', probabilities: [0.75, 0.25] }, latencyMs: 3.5, status: 'ok', ...more,
  };
};
const label = (model: string, of: { predictionId?: string; requestId?: string }, name: string, at = NOON): NewLabel =>
  ({ predictionId: of.predictionId ?? null, requestId: of.requestId ?? null, model, label: name, by: 'ada', at });
const outcomes = async (model: string, version = 1) => t.stores.predictions.newestLabelled({ model, environment: 'production', version, limit: 100 });

describe('predictions', () => {
  it('come back as they went in, and a batch that is sent again adds nothing', async () => {
    const model = modelName();
    const rows = [prediction(model), prediction(model, { outputs: null, status: 'error', attributes: {}, inputShape: [], rows: 4 })];
    expect(await t.stores.predictions.insertMany(rows)).toBe(2);
    expect(await t.stores.predictions.insertMany([...rows, prediction(model)])).toBe(1);
    for (const row of rows) {
      const { input, ...kept } = await t.stores.predictions.get(row.id) ?? {};
      expect(Buffer.from(input ?? [])).toEqual(Buffer.from(row.input));
      const { input: _sent, ...sent } = row;
      expect(kept).toEqual({ rows: 1, inputKept: 'whole', guarded: null, explanation: null, latencyParts: null, traceId: null, caller: null, outputsKept: 'whole', ...sent });
    }
    expect(await t.stores.predictions.findByRequest(model, rows[0]?.requestId ?? '')).toHaveLength(1);
    expect(await t.stores.predictions.get(randomUUID())).toBeNull();
    expect(await t.stores.predictions.get('not an id')).toBeNull();
    expect(await t.stores.predictions.count({ model, environment: 'production' })).toBe(3);
    expect(await t.stores.predictions.count({ model, environment: 'production', from: later(1) })).toBe(0);
  });

  it('two writers at once make the partitions of new days once, at the borders of UTC', async () => {
    const model = modelName();
    const days = ['2026-02-28T23:59:59.999Z', '2026-03-01T00:00:00.000Z', '2027-01-01T00:30:00.000+01:00', '2027-01-01T00:00:00.000Z'];
    const other = t.another({ max: 6 });
    const inserted = await Promise.all([t, other, t, other, t, other].map(({ stores }) => stores.predictions.insertMany(days.map((at) => prediction(model, { at: new Date(at).toISOString() })))));
    expect(inserted).toEqual([4, 4, 4, 4, 4, 4]);
    const partitions = await t.db.query<{ name: string; n: number }>(`select tableoid::regclass::text as name, count(*) as n from predictions where model = $1 group by 1 order by 1`, [model]);
    expect(partitions).toEqual([{ name: 'predictions_20260228', n: 6 }, { name: 'predictions_20260301', n: 6 }, { name: 'predictions_20261231', n: 6 }, { name: 'predictions_20270101', n: 6 }]);
  });

  it('a partition that was removed is made again', async () => {
    const model = modelName();
    const at = '2025-05-05T05:05:05.000Z';
    await t.stores.predictions.insertMany([prediction(model, { at })]);
    await t.db.query('drop table predictions_20250505');
    expect(await t.stores.predictions.insertMany([prediction(model, { at })])).toBe(1);
  });
});

describe('labels', () => {
  it('a label before its prediction is kept and joined when the prediction arrives', async () => {
    const model = modelName();
    const [byId, byRequest, never] = [prediction(model), prediction(model), prediction(model)];
    const answer = await t.stores.labels.add([label(model, { predictionId: byId.id }, 'truck'), label(model, { requestId: byRequest.requestId }, 'car'), label(model, { predictionId: never.id }, 'car')]);
    expect(answer.accepted).toBe(3);
    expect(answer.unknown.sort()).toEqual([byId.id, byRequest.requestId, never.id].sort());
    expect(await outcomes(model)).toEqual([]);
    await t.stores.predictions.insertMany([byId, byRequest]);
    const found = new Map((await outcomes(model)).map((row) => [row.predictionId, row]));
    expect(found.size).toBe(2);
    expect(found.get(byId.id)).toEqual({ predictionId: byId.id, replaced: false, actual: 'truck', predicted: 'car', probability: 0.75, value: null, at: NOON, attributes: { light: 'night' } });
    expect(found.get(byRequest.id)).toMatchObject({ actual: 'car' });
    expect(await t.stores.predictions.countLabelled({ model, environment: 'production', version: 1 })).toBe(2);
  });

  it('labels and predictions that arrive at the same moment find each other', async () => {
    const model = modelName();
    const rows = Array.from({ length: 40 }, () => prediction(model));
    const other = t.another({ max: 6 });
    await Promise.all(rows.flatMap((row) => [t.stores.predictions.insertMany([row]), other.stores.labels.add([label(model, { requestId: row.requestId }, 'truck')])]));
    expect(await outcomes(model)).toHaveLength(40);
  });

  it('the newest label counts, whichever arrived last; the same again changes nothing', async () => {
    const model = modelName();
    const row = prediction(model);
    await t.stores.predictions.insertMany([row]);
    const first = label(model, { predictionId: row.id }, 'car', NOON);
    const second = label(model, { requestId: row.requestId }, 'truck', later(60_000));
    expect(await t.stores.labels.add([first])).toEqual({ accepted: 1, unknown: [], removed: [], changed: 0 });
    expect(await t.stores.labels.add([second])).toEqual({ accepted: 1, unknown: [], removed: [], changed: 1 });
    expect(await t.stores.labels.add([second])).toEqual({ accepted: 1, unknown: [], removed: [], changed: 0 });
    expect(await t.stores.labels.add([first])).toEqual({ accepted: 1, unknown: [], removed: [], changed: 0 });
    expect(await outcomes(model)).toMatchObject([{ actual: 'truck' }]);
    expect(await t.stores.labels.revisions(model, row.id)).toMatchObject([{ label: 'truck' }, { label: 'car' }]);
    const both = [label(model, { predictionId: row.id }, 'bus', later(120_000)), label(model, { predictionId: row.id }, 'tram', later(120_000))];
    expect(await t.stores.labels.add(both)).toMatchObject({ changed: 1 });
    expect(await outcomes(model)).toMatchObject([{ actual: 'tram' }]);
  });

  it('a label of one model says nothing about another, and one without an id is refused by name', async () => {
    const [model, other] = [modelName(), modelName()];
    const row = prediction(model, { requestId: 'shared' });
    await t.stores.predictions.insertMany([row, prediction(other, { requestId: 'shared' })]);
    expect(await t.stores.labels.add([label(other, { predictionId: row.id }, 'car'), label(other, { requestId: 'shared' }, 'car')])).toMatchObject({ unknown: [row.id] });
    expect(await outcomes(model)).toEqual([]);
    expect(await outcomes(other)).toHaveLength(1);
    await expect(t.stores.labels.add([label(model, {}, 'car')])).rejects.toMatchObject({ code: 'request/invalid', details: { index: 0 } });
    await expect(t.stores.labels.add([label(model, { predictionId: 'x' }, 'car')])).rejects.toMatchObject({ code: 'request/invalid' });
  });

  it('labelled predictions are read in pages, each once and in order, by attributes and up to an instant', async () => {
    const model = modelName();
    // Many share a millisecond: the pages must neither repeat nor skip them.
    const rows = Array.from({ length: 1_203 }, (_, index) => prediction(model, { at: later(Math.floor(index / 300)), attributes: { light: index % 3 ? 'day' : 'night', camera: 'a' } }));
    await t.stores.predictions.insertMany(rows);
    await t.stores.predictions.insertMany([prediction(model, { status: 'error', outputs: null, requestId: 'failed' })]);
    await t.stores.labels.add([...rows.map((row) => label(model, { predictionId: row.id }, 'truck')), label(model, { requestId: 'failed' }, 'car')]);
    const read = async (more: object) => {
      const ids: string[] = [];
      for await (const row of t.stores.predictions.labelled({ model, environment: 'production', ...more })) ids.push(row.id);
      return ids;
    };
    const all = await read({});
    expect(all).toHaveLength(1_203);
    expect(new Set(all).size).toBe(1_203);
    expect(await read({ attributes: { light: 'night' } })).toHaveLength(401);
    expect(await read({ until: later(0) })).toHaveLength(300);
    for await (const row of t.stores.predictions.labelled({ model, environment: 'production' })) {
      expect(row).toMatchObject({ class: 'car', label: 'truck', inputShape: [1, 5, 1], version: 1 });
      break;
    }
    expect(await t.stores.predictions.newestLabelled({ model, environment: 'production', version: 1, limit: 5 })).toHaveLength(5);
    expect((await outcomes(model))[0]?.at).toBe(later(4));
  });
});

describe('scores, checks and snapshots', () => {
  it('a job is done when every partition is, and a partition completes once', async () => {
    const { scores } = t.stores;
    const output = { uri: 's3://perennial/scores/j/0', sha256: digest('0'), bytes: 1 };
    const job = { job: `job-${randomUUID()}`, model: modelName(), version: 1, input: output, outputPrefix: 'scores/j/', partitions: 2, rows: 10 };
    await scores.create(job);
    expect(await scores.create({ ...job, partitions: 9 })).toMatchObject({ partitions: 2, completed: [] });
    expect(await scores.completePartition({ job: job.job, partition: 0, rows: 5, output })).toBe(true);
    expect(await scores.completePartition({ job: job.job, partition: 0, rows: 5, output })).toBe(false);
    expect(await scores.finish(job.job)).toBe(false);
    await scores.completePartition({ job: job.job, partition: 1, rows: 5, output });
    expect(await scores.finish(job.job)).toBe(true);
    expect(await scores.finish(job.job)).toBe(true);
    expect((await scores.get(job.job))?.finishedAt).not.toBeNull();
  });

  it('a check is saved once', async () => {
    const model = modelName();
    const check = { id: `check-${model}`, model, environment: 'production', version: 1, window: { from: NOON, to: later(1) }, predictions: 10, labels: 5, verdict: 'ok' as const, report: { accuracy: 0.9 } };
    await t.stores.checks.save(check);
    await t.stores.checks.save({ ...check, verdict: 'findings' });
    expect(await t.stores.checks.list(model)).toMatchObject([check]);
  });
});
