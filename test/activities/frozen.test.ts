import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataActivities, openSnapshot } from '../../activities/data/index.js';
import { openFrozen, requireFittingSets } from '../../activities/data/frozen/open.js';
import { createEvaluateActivities } from '../../activities/evaluate/index.js';
import { createTrainActivities } from '../../activities/train/index.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { layers } from '../../definition/define.js';
import { frozenManifest, rowsOf } from '../../domain/frozen.js';
import { loadNativeParts } from '../../infra/native.js';
import { readJson } from '../../stores/json-objects.js';
import { digest as sha256, reason } from '../stores/samples.js';
import { createDataStack, keysOf, pixels, png, SHAPE } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
type Split = Table['sources'][number]['split'];
const FIRST: Split = { byKey: { train: 0.6, test: 0.4 } };
const table = (location: string, split: Split = FIRST, path = 'a.csv'): Table => ({
  kind: 'table', columns: ['n', { name: 'paid', type: 'boolean' }], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 },
  sources: [{ kind: 'csv', location, path, key: 'id', split }],
});
const line = (key: string, index: number) => `${key},${index % 2 ? 'yes' : 'no'},${index + 0.5},${index % 3 === 0}`;
const csv = (lines: readonly string[]) => `id,outcome,n,paid\n${lines.join('\n')}\n`;
const people = (count: number) => csv(Array.from({ length: count }, (_, index) => line(`person-${index}`, index)));

const runs = <T>(work: () => Promise<T>) => new MockActivityEnvironment().run<[], T, () => Promise<T>>(work);

/** What the gateway does when it is asked to freeze. */
async function freeze(model: string, snapshot: string, name = 'q3') {
  const saved = await stack.stores.snapshots.get(snapshot);
  if (!saved) throw new Error('the snapshot is not there');
  const whole = SnapshotManifest.parse(await readJson(stack.artifacts, saved.manifest));
  const rows = frozenManifest(whole, whole.shards);
  const manifest = await stack.artifacts.putOnce(`frozen/${rows.digest}/manifest.json`, Buffer.from(JSON.stringify(rows)));
  return (await stack.stores.frozen.freeze({ model, name, snapshot, reason: 'the quarter\'s figures', by: 'ada', rows: { digest: rows.digest, manifest, rows: rowsOf(rows.shards) } })).set;
}
const get = async (model: string, name = 'q3') => {
  const set = await stack.stores.frozen.get(model, name);
  if (!set) throw new Error(`${name} is not there`);
  return set;
};
const frozenKeys = async (model: string) => keysOf((await openFrozen(stack.deps, await get(model))).localShards.map(({ path }) => path));
const keysIn = async (snapshot: string, split: 'train' | 'test') => keysOf((await openSnapshot(stack.deps, snapshot)).localShards.filter((shard) => shard.split === split).map(({ path }) => path));

describe('a frozen row', () => {
  it('trains nothing, however the rows are divided later, and a copy under another key does not either', async () => {
    const place = await stack.locate();
    await place.put('a.csv', people(60));
    const { model, build } = await stack.define(table(place.name));
    const first = await build();
    await freeze(model, first.digest);
    const frozen = await frozenKeys(model);
    expect(frozen).toEqual(await keysIn(first.digest, 'test'));
    // The sources look as they did, and are read again all the same: what was known does not know of the set.
    expect(await build()).toMatchObject({ digest: first.digest, rows: 60, report: { findings: [] } });

    const copied = frozen.slice(0, 3).map((key) => line(`copy-of-${key}`, Number(key.slice('person-'.length))));
    await place.put('b.csv', csv([...copied, line('new', 1000), line('newer', 1001)]));
    const trains = (path: string): Table['sources'][number] => ({ kind: 'csv', location: place.name, path, key: 'id', split: 'train' });
    await place.put('c.csv', csv(Array.from({ length: 20 }, (_, index) => line(`later-${index}`, 2000 + index))));
    const { build: divided } = await stack.define({ ...table(place.name), sources: [trains('a.csv'), trains('b.csv'), { ...trains('c.csv'), split: 'test' }] }, model);
    const { digest, report } = await divided();
    const trained = await keysIn(digest, 'train');
    expect(trained.filter((key) => frozen.includes(key) || key.startsWith('copy'))).toEqual([]);
    expect(trained).toHaveLength(60 - frozen.length + 2);
    expect(report).toMatchObject({ blocked: false, findings: [
      { check: 'frozen', severity: 'drop', count: frozen.length, message: 'rows of the frozen test set q3 that would train or validate are left out', rows: expect.arrayContaining([`${frozen[0]} (train)`]) as unknown },
      { check: 'frozen', severity: 'drop', count: 3, message: 'rows that would train or validate have the values of a row of the frozen test set q3, under another key, and are left out' },
    ] });
  });

  it('is a picture as well as a row of a table', async () => {
    const place = await stack.locate();
    for (let index = 0; index < 12; index += 1) await place.put(`${index < 8 ? 'train' : 'test'}/${index % 2 ? 'truck' : 'car'}/${index}.png`, png(pixels(900 + index)));
    const pictures = (test: string): Data => ({
      kind: 'images', image: SHAPE, target: { classes: ['car', 'truck'] }, checks: { minimumRowsPerClass: 2 },
      sources: [...new Set(['train', 'test', test])].map((path) => ({ kind: 'image-folder', location: place.name, path, split: path === test ? 'test' : 'train' })),
    });
    const { build, model } = await stack.define(pictures('test'));
    await freeze(model, (await build()).digest);
    for (let index = 0; index < 4; index += 1) await place.put(`night/${index % 2 ? 'truck' : 'car'}/${index}.png`, png(pixels(950 + index)));
    await place.put('train/car/again.png', png(pixels(908)));
    const { build: divided } = await stack.define(pictures('night'), model);
    const { report, counts } = await divided();
    expect(counts.bySplit).toEqual({ train: 8, test: 4 });
    expect(report.findings).toMatchObject([{ check: 'duplicate' }, { check: 'frozen', count: 4 }]);
  });

  it('that is erased leaves the set, whose former rows are told from the ones now, and goes from S3', async () => {
    const place = await stack.locate();
    await place.put('a.csv', people(40));
    const { model, build } = await stack.define(table(place.name));
    const first = await build();
    await freeze(model, first.digest);
    const before = await get(model);
    const [key = ''] = await frozenKeys(model);
    const [{ file } = { file: null }] = SnapshotManifest.parse(await readJson(stack.artifacts, before.revisions[0]?.manifest ?? first.manifest)).shards;
    await stack.stores.erasures.request({ id: `${model}-1`, model, key, reason: 'a request', by: 'ada' });
    const search = () => runs(() => createDataActivities(stack.deps).findErased({ model, id: `${model}-1` }));
    await search();
    await search();
    const after = await get(model);
    expect(after.revisions).toMatchObject([{ revision: 1, erasure: null }, { revision: 2, erasure: `${model}-1`, rows: (before.revisions[0]?.rows ?? 0) - 1 }]);
    expect(await frozenKeys(model)).not.toContain(key);
    expect(await stack.stores.frozen.revisedFor(`${model}-1`)).toEqual([{ name: 'q3', revision: 2, rows: after.revisions[1]?.rows }]);
    if (!file) throw new Error('the set has no file');
    await stack.artifacts.get(file);
    const { digest } = await build();
    expect(digest).not.toBe(first.digest);
    await expect(stack.artifacts.get(file)).rejects.toMatchObject({ code: 'storage/missing' });
    expect(await frozenKeys(model)).toHaveLength(after.revisions[1]?.rows ?? 0);
    expect(await stack.stores.frozen.toRemove(model)).toEqual([]);
    await expect(freeze(model, first.digest, 'late')).rejects.toMatchObject({ code: 'data/erased' });
  });
});

it('an erasure spares the files that snapshots and frozen sets of others share, until the row leaves them too', async () => {
  const place = await stack.locate();
  await place.put('a.csv', people(40));
  const teams = await Promise.all([1, 2].map(async () => {
    const { model, build } = await stack.define(table(place.name));
    const { digest } = await build();
    await freeze(model, digest);
    return { model, build, digest };
  }));
  const [mine, theirs] = teams;
  if (!mine || !theirs) throw new Error('there are two');
  const filesOf = async (ref: Parameters<typeof readJson>[1]) => SnapshotManifest.parse(await readJson(stack.artifacts, ref)).shards.map(({ file }) => file);
  const manifestOf = async ({ model }: { model: string }) => (await get(model)).revisions[0]?.manifest ?? (() => { throw new Error('the set was never frozen'); })();
  const shared = await filesOf(await manifestOf(mine));
  expect(shared).toEqual(await filesOf(await manifestOf(theirs)));
  const [key = ''] = await frozenKeys(mine.model);
  const eraseFor = async ({ model, build }: typeof mine) => {
    await stack.stores.erasures.request({ id: `${model}-1`, model, key, reason: 'a request', by: 'ada' });
    await runs(() => createDataActivities(stack.deps).findErased({ model, id: `${model}-1` }));
    await build();
    expect([await stack.stores.erasures.toRemove(model), await stack.stores.frozen.toRemove(model)]).toEqual([[], []]);
  };

  await eraseFor(mine);
  expect(await frozenKeys(mine.model)).not.toContain(key);
  expect([await frozenKeys(theirs.model), await keysIn(theirs.digest, 'test')]).toEqual([expect.arrayContaining([key]), expect.arrayContaining([key])]);
  for (const file of shared) expect((await stack.artifacts.get(file)).length).toBe(file.bytes);
  // Also where the set alone is left of them: its snapshot is marked, and the rows are still frozen.
  await stack.stores.erasures.request({ id: `${theirs.model}-0`, model: theirs.model, key: 'nobody', reason: 'a request', by: 'ada' });
  await stack.stores.erasures.mark({ erasure: `${theirs.model}-0`, snapshot: theirs.digest, files: shared.map(({ sha256: file }) => file) });
  const [, other = ''] = await frozenKeys(theirs.model);
  await place.put('a.csv', people(40).split('\n').filter((row) => !row.startsWith(`${other},`)).join('\n'));
  await theirs.build();
  expect(await stack.stores.erasures.toRemove(theirs.model)).toEqual([]);
  expect(await frozenKeys(theirs.model)).toContain(key);

  await eraseFor(theirs);
  expect(await frozenKeys(theirs.model)).not.toContain(key);
  for (const file of shared) await expect(stack.artifacts.get(file)).rejects.toMatchObject({ code: 'storage/missing' });
});

it('a set that is gone, unknown, or of other columns or classes is told by name', async () => {
  const place = await stack.locate();
  await place.put('a.csv', people(40));
  const { model, build } = await stack.define(table(place.name));
  const first = await build();
  const set = await freeze(model, first.digest);
  const asks = (change: Partial<Table>, frozen = ['q3']) => {
    const data = { ...table(place.name), ...change };
    return stack.define(data, model, undefined, { evaluation: { frozen, gates: [{ kind: 'at-least', name: 'floor', metric: 'accuracy', threshold: 0.5 }] } })
      .then(async ({ request }) => requireFittingSets(stack.deps, (await stack.stores.models.definition(model, request.commit))?.definition ?? (() => { throw new Error('no definition'); })()));
  };
  await asks({});
  await expect(asks({}, ['q4'])).rejects.toMatchObject({ code: 'test-set/unknown', message: `evaluation.frozen: ${model} has no frozen test set q4` });
  await expect(asks({ columns: ['n', 'income'] })).rejects.toMatchObject({ code: 'test-set/misfit', message: `evaluation.frozen: candidates of ${model} cannot be measured on the frozen test set q3: it has no column income` });
  await expect(asks({ columns: [{ name: 'paid', type: 'text' }] })).rejects.toThrow('its column paid is of type boolean, that of the definition of type text');
  await expect(asks({ target: { name: 'outcome', classes: ['no', 'yes', 'maybe'] } })).rejects.toThrow('its classes are no, yes, those of the definition no, yes, maybe');
  await asks({ columns: ['n'] });

  const { shards } = SnapshotManifest.parse(await readJson(stack.artifacts, set.revisions[0]?.manifest ?? first.manifest));
  await stack.artifacts.delete(shards.map(({ file }) => `blobs/${file.sha256}`));
  await place.put('a.csv', people(41));
  const { build: again } = await stack.define(table(place.name), model);
  await expect(again()).rejects.toMatchObject({ code: 'storage/missing', message: expect.stringContaining(`the frozen test set q3 of ${model} cannot be read`) as unknown });
});

it('every candidate is measured on the sets that its definition names, judged there, and kept in their record', async () => {
  const place = await stack.locate();
  await place.put('a.csv', people(300));
  const deps = { ...stack.deps, tfjsNode: loadNativeParts().tfjsNode };
  await stack.stores.environments.ensure('production');
  const parts = {
    network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] }, training: { optimizer: { kind: 'sgd' as const, learningRate: 0.1 }, epochs: 1, batchSize: 32, seed: 1, threads: 1 },
    evaluation: { frozen: ['q3'], gates: [
      { kind: 'at-least' as const, name: 'impossible', metric: 'accuracy' as const, threshold: 1, frozen: 'q3' },
      { kind: 'not-worse-than-live' as const, name: 'not-worse', frozen: 'q3' },
    ] },
  };
  const { model, build } = await stack.define(table(place.name), undefined, undefined, { ...parts, evaluation: { gates: parts.evaluation.gates.map(({ frozen: _, ...gate }) => gate) } });
  const set = await freeze(model, (await build()).digest);
  await place.put('b.csv', csv(Array.from({ length: 50 }, (_, index) => line(`later-${index}`, 500 + index))));
  const { request, build: next } = await stack.define(table(place.name, FIRST, '*.csv'), model, undefined, parts);
  const { digest: snapshot } = await next();
  const { run: { id: run } } = await stack.stores.runs.create({ model, cause: 'a push', reason, commit: request.commit, trainingDigest: sha256('training'), policyDigest: sha256('policy') });
  const candidate = await runs(() => createTrainActivities(deps).train({ model, run, snapshot }));
  const judge = () => runs(() => createEvaluateActivities(deps).evaluateCandidate({ model, run, snapshot, candidate }));
  const judged = await judge();
  expect(judged).toMatchObject({ verdict: 'fail', error: { code: 'gates/failed' } });
  expect(judged.summary).toContain('frozen test set q3');
  await judge();
  const rows = set.revisions[0]?.rows ?? 0;
  const measured = await stack.stores.frozen.measurements(model, 'q3');
  expect(measured).toMatchObject([{ run, version: null, digest: set.revisions[0]?.digest, report: { overall: { n: rows }, mistakes: [] } }]);
  expect((await stack.stores.evaluations.get(run, 'offline'))?.report.overall.n).toBeGreaterThan(rows);
  const gates = (await stack.stores.evaluations.get(run, 'gates'))?.report.gates;
  expect(gates).toMatchObject([{ gate: 'impossible', verdict: 'fail', n: rows, description: 'accuracy at least 100.0%, on the frozen test set q3' }, { gate: 'not-worse', verdict: 'pass' }]);
  expect((await stack.stores.runs.events(run)).map(({ message }) => message)).toContainEqual(expect.stringMatching(new RegExp(`^frozen test set q3: accuracy .* on ${rows} rows$`)));
});
