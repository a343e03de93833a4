import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvaluationReport } from '../../contract/evaluation.js';
import type { FrozenRecord } from '../../contract/frozen.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, addRun, digest, ref, versionOf } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const model = 'churn';
const [first, second, empty] = [digest('first rows'), digest('second rows'), digest('no test rows')];

beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['scientist']));
  await addModel(gateway.stores, model);
  await snapshot(empty, []);
  await snapshot(second, [digest('test rows'), digest('newer test rows')]);
  await snapshot(first, [digest('test rows')]);
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

async function snapshot(name: string, test: readonly string[]): Promise<void> {
  const shards: SnapshotManifest['shards'] = [digest('training rows'), ...test].map((shard, index) => ({ index, split: index === 0 ? 'train' : 'test', rows: 150, digest: shard, file: ref(shard) }));
  const content: SnapshotManifest['content'] = { kind: 'table', model, target: { name: 'label', classes: ['no', 'yes'] }, columns: ['age'], shards: shards.map(({ file: _, ...shard }) => shard) };
  const counts = { bySplit: {}, byClass: {}, byAttribute: {} };
  const manifest: SnapshotManifest = { v: 1, digest: name, content, shards, counts, sources: [] };
  await gateway.stores.snapshots.save({ digest: name, model, manifest: await gateway.artifacts.putBlob(Buffer.from(JSON.stringify(manifest))), rows: 300, counts, report: { v: 1, blocked: false, findings: [] }, blocked: false });
}

const freeze = (...args: string[]) => cli.run(['freeze', ...args, '--reason', 'the figures of the quarter']);
const report = (rows: string, accuracy: number): EvaluationReport => ({ v: 1, snapshot: rows, slices: [], mistakes: [], overall: { n: 150, accuracy, precision: accuracy, recall: accuracy, f1: accuracy, classes: ['no', 'yes'], perClass: [], confusion: [] } });

test('test rows are frozen under a name once, with who, when and why', async () => {
  expect((await cli.run(['frozen', model])).out).toContain('no test rows of churn are frozen');
  expect(await freeze(model, 'q3')).toMatchObject({ code: 0, out: expect.stringContaining(`frozen: 150 test rows of snapshot ${first.slice(0, 12)} as q3`) as unknown });
  expect((await freeze(model, 'q3')).out).toContain('these rows are frozen already');
  expect(await freeze(model, 'q3', '--snapshot', second.slice(0, 12))).toMatchObject({ code: 1, err: expect.stringContaining('has other rows frozen as q3') as unknown });
  expect((await freeze(model, 'q3', '--snapshot', second.slice(0, 12))).err).toContain('test-set/taken');
  expect((await freeze(model, 'none', '--snapshot', empty)).err).toContain('has no test row to freeze');
  expect((await freeze(model, 'none', '--snapshot', digest('another'))).err).toContain('snapshot/unknown');
  expect((await freeze(`${model}@7`, 'none')).err).toContain('version/unknown');
  expect((await freeze(model, 'no name')).err).toContain('request/invalid');
  expect((await freeze(`${model}@7`, 'none', '--snapshot', first)).code).toBe(2);
  expect((await cli.run(['frozen', model, 'q4'])).err).toContain('test-set/unknown');
  const entries = (await gateway.stores.ledger.list(`${model}/runs`)).filter(({ action }) => action === 'test-set-frozen');
  expect(entries).toMatchObject([{ actor: expect.any(String) as unknown, subject: { name: 'q3', snapshot: first, reason: 'the figures of the quarter' } }]);
  expect((await gateway.call('POST', `/models/${model}/frozen`, { token: await gateway.tokenWith(['viewer']), body: { name: 'q5', reason: 'no' } })).body.error.code).toBe('auth/forbidden');
});

test('a set\'s record has every run and version that was measured on it, and says when it was used too often', async () => {
  const set = await gateway.stores.frozen.get(model, 'q3');
  const rows = set?.revisions[0]?.digest ?? '';
  const [one, two] = [await addRun(gateway.stores, model), await addRun(gateway.stores, model)];
  const { version } = await gateway.stores.versions.register({ ...versionOf(model, one), snapshot: first });
  for (const [run, accuracy] of [[one, 0.9], [two, 0.85], [one, 0.91]] as const) await gateway.stores.frozen.measured({ model, name: 'q3', digest: rows, run, report: report(rows, accuracy) });
  const record = JSON.parse((await cli.run(['frozen', model, 'q3', '--json'])).out) as FrozenRecord;
  expect(record.measurements.map(({ run, version: of, report: { overall } }) => [run, of, 'accuracy' in overall ? overall.accuracy : null])).toEqual([[two, null, 0.85], [one, version, 0.91]]);
  expect(record.use).toMatchObject({ comparisons: 2, rows: 150, overused: true });
  const { out } = await cli.run(['frozen', model, 'q3']);
  expect(out).toMatch(new RegExp(`${one} +${model}@${version} +150 +91.0%`));
  expect(out).toContain('2 compared on these 150 rows: by chance alone the best may look 12.1% better than it is, and up to 11.5% at worst');
  expect(out).toContain('over-used: more than one comparison for every hundred rows');
  expect((await cli.run(['frozen', model])).out).toContain('2 (too many)');

  // An erased row makes other rows of it: their figures begin anew.
  await gateway.stores.erasures.request({ id: 'erasure-1', model, key: 'ada', reason: 'a request', by: 'ada' });
  await gateway.stores.frozen.revise({ model, name: 'q3', revision: 2, rows: { digest: digest('149'), manifest: ref('149'), rows: 149 }, erasure: 'erasure-1', replaced: [] });
  const after = (await cli.run(['frozen', model, 'q3'])).out;
  expect(after).toContain('without the row of erasure erasure-1, 149 rows; figures of other revisions are not comparable with it');
  expect(after).toMatch(/REVISION[^]*91.0%/);
  expect((JSON.parse((await cli.run(['frozen', model, 'q3', '--json'])).out) as FrozenRecord).use).toMatchObject({ comparisons: 0, rows: 149, overused: false });
  expect((await gateway.call('GET', '/erasures/erasure-1', { token: await gateway.tokenWith(['viewer']) })).body).toMatchObject({ frozen: [{ name: 'q3', revision: 2, rows: 149 }] });
});
