import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lineage } from '../../contract/lineage.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { FeatureView } from '../../definition/feature-view.js';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, commit, digest, ref, uuid7, versionOf } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const model = 'car-truck';
const old = digest('day');
const grown = digest('day and night');
let finding: number;

/** Version 1 from a folder; its answers get labels, a check finds it wanting, and version 2 is trained on the folder and on these labels. */
beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['viewer']));
  const { stores } = gateway;
  await addModel(stores, model);
  await snapshot(old, [{ description: 'image-folder pictures/train', rows: 900 }, { description: 'labelled predictions of production', rows: 0 }]);
  const first = await version('push 1', old);
  await stores.replicas.lease({ id: 'server-1', environment: 'production', url: 'http://127.0.0.1:1', pid: 1, serving: [{ model, version: first, generation: 1 }] });
  const id = uuid7(new Date().toISOString());
  await stores.predictions.insertMany([{
    id, requestId: 'r', model, version: first, environment: 'production', role: 'live', generation: 1, replica: 'server-1', at: new Date().toISOString(), rows: 1,
    input: new Uint8Array(8), inputShape: [1, 2], inputDigest: digest('x'), attributes: {}, outputs: null, latencyMs: 1, status: 'ok',
  }]);
  await stores.labels.add([{ predictionId: id, requestId: null, model, label: 'car', by: 'people', at: new Date().toISOString() }]);
  finding = (await stores.alerts.openFinding({ model, environment: 'production', version: first, key: 'accuracy', check: 'c1', severity: 'critical', message: 'accuracy 0.50 of live', data: {} })).id;
  await snapshot(grown, [{ description: 'image-folder pictures/train', rows: 900 }, { description: 'labelled predictions of production', rows: 1 }]);
  await version(`finding/${finding}`, grown);
  await joined();
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

async function snapshot(name: string, sources: SnapshotManifest['sources'], model = 'car-truck'): Promise<void> {
  const counts = { bySplit: { train: 800, test: 100 }, byClass: {}, byAttribute: {} };
  const manifest: SnapshotManifest = { v: 1, digest: name, content: { kind: 'images', model, target: { name: 'class', classes: ['car', 'truck'] }, shards: [] }, shards: [], counts, sources };
  const ref = await gateway.artifacts.putBlob(Buffer.from(JSON.stringify(manifest)));
  await gateway.stores.snapshots.save({ digest: name, model, manifest: ref, rows: 900, counts, report: { v: 1, blocked: false, findings: [] }, blocked: false });
}

async function version(cause: string, of: string, model = 'car-truck'): Promise<number> {
  const { run } = await gateway.stores.runs.create({ model, cause, reason: { kind: cause.startsWith('finding') ? 'loss' : 'commit', detail: cause, by: 'ada', force: false }, commit: commit('the code'), trainingDigest: digest('training'), policyDigest: digest('policy') });
  const { version: number } = await gateway.stores.versions.register({ ...versionOf(model, run.id), snapshot: of });
  await gateway.stores.runs.setFields(run.id, { version: number, snapshot: of });
  await gateway.stores.runs.end(run.id, 'released');
  return number;
}

const view = FeatureView.parse({
  schema: 1, name: 'activity', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'How often customers came.', entity: [{ name: 'customer', type: 'text' }], timestamp: 'day',
  source: { kind: 'sql', connection: 'warehouse', query: 'select 1' }, columns: ['visits', 'basket'], schedule: '1h', ttl: '30d', freshness: '2h',
});
const [before, since] = [digest('a view'), digest('the view with another column')];
const content = `view/activity/${before}`;

/** The first snapshot was joined with a view, which then became another one; a model of another repository was joined with that. */
async function joined(): Promise<void> {
  const { featureViews, featureStores } = gateway.stores;
  await featureViews.ensure({ view, repository: 'cars', path: 'activity.view.ts' });
  for (const [of, at] of [[before, 'first'], [since, 'second']] as const) {
    await featureViews.saveDefinition({ view: 'activity', repository: 'cars', commit: commit(at), path: 'activity.view.ts', digest: of, definition: view, bundle: ref('bundle') });
    await featureStores.begin({ id: at, view: 'activity', digest: of, asOf: '2026-10-01T00:00:00.000Z' });
  }
  await featureStores.use(old, [{ view: 'activity', digest: before, commit: commit('first'), generation: 3, asOf: '2026-10-01T00:00:00.000Z' }]);
  await addModel(gateway.stores, 'churn');
  await snapshot(digest('orders'), [{ description: 'sql warehouse', rows: 5 }], 'churn');
  await featureStores.use(digest('orders'), [{ view: 'activity', digest: since, commit: null, generation: null, asOf: null }]);
  await version('push 2', digest('orders'), 'churn');
}

const lineage = async (...args: string[]) => {
  const { code, out } = await cli.run(['lineage', ...args, '--json']);
  expect(code).toBe(0);
  const graph = JSON.parse(out) as Lineage;
  return { ...graph, arrows: graph.edges.map(({ from, to, how }) => `${from} -${how}-> ${to}`).sort() };
};

test('a version is followed back to the source of its rows, its code and the reason it was made', async () => {
  const { arrows, more } = await lineage(`${model}@2`);
  const night = `predictions/${grown}/labelled predictions of production`;
  expect(arrows).toEqual([
    `${night} -1 rows-> snapshot/${grown}`,
    `commit/${commit('the code')} -definition-> run/${model}-r2`,
    `finding/${finding} -reason-> run/${model}-r2`,
    `run/${model}-r2 -registered-> version/${model}@2`,
    `snapshot/${grown} -rows-> run/${model}-r2`,
    `source/image-folder pictures/train -900 rows-> snapshot/${grown}`,
    `version/${model}@1 -answered-> ${night}`,
    `version/${model}@1 -served in-> environment/production/${model}@1`,
    `version/${model}@1 -was found in-> finding/${finding}`,
  ].sort());
  expect(more).toEqual([`${model}@1`]);
});

test('and forth to where it serves and what was learned from it', async () => {
  const { arrows } = await lineage(`${model}@1`);
  expect(arrows).toEqual(expect.arrayContaining([
    `version/${model}@1 -served in-> environment/production/${model}@1`,
    `version/${model}@1 -was found in-> finding/${finding}`,
    `run/${model}-r2 -registered-> version/${model}@2`,
  ]));
  expect(arrows.filter((arrow) => arrow.startsWith('predictions/'))).toEqual([`predictions/${grown}/labelled predictions of production -1 rows-> snapshot/${grown}`]); // no row of its own snapshot was labelled
});

test('a snapshot tells which versions it touched', async () => {
  const touched = async (depth: string) => (await lineage(old.slice(0, 12), '--depth', depth)).nodes.filter(({ kind }) => kind === 'version').map(({ name }) => name);
  expect(await touched('1')).toEqual([`${model}@1`]);
  expect(await touched('2')).toEqual([`${model}@1`, `${model}@2`]);
});

test('the feature views that its rows were joined with are told with their content, materialisation, source and code', async () => {
  const { arrows, nodes } = await lineage(`${model}@1`);
  expect(arrows).toEqual(expect.arrayContaining([
    `${content} -joined, generation 3 as of 2026-10-01T00:00:00Z, commit ${commit('first').slice(0, 12)}-> snapshot/${old}`,
    `source/sql warehouse -materialised-> ${content}`,
    `commit/${commit('first')} -definition-> ${content}`,
  ]));
  expect(nodes.find(({ id }) => id === content)).toMatchObject({ kind: 'view', name: `activity ${before.slice(0, 12)}`, lines: ['by customer: visits, basket'] });
  expect((await cli.run(['lineage', `${model}@1`])).out).toMatch(/ {4}rows: snapshot .*\n( {6}.*\n)* {6}joined, generation 3 .*: activity [0-9a-f]{12} {2}by customer: visits, basket\n {8}materialised: sql warehouse\n {8}definition: commit /);
});

test('a feature view tells which snapshots and versions it touched, of every model and as whatever it was then', async () => {
  const { arrows, nodes, of } = await lineage('activity', '--depth', '2', '--picture', 'view.svg');
  expect(of).toBe('view/activity');
  expect(nodes.filter(({ kind }) => kind === 'version').map(({ name }) => name).sort()).toEqual([`${model}@1`, `${model}@2`, 'churn@1']);
  expect(arrows).toEqual(expect.arrayContaining([
    'source/sql warehouse -materialised-> view/activity', `commit/${commit('second')} -definition-> view/activity`,
    `view/activity -as of commit ${commit('second').slice(0, 12)}-> view/activity/${since}`, `view/activity/${since} -joined-> snapshot/${digest('orders')}`,
  ]));
  expect((await readFile(join(cli.folder, 'view.svg'), 'utf8')).match(/<g class="view/g)).toHaveLength(3);
});

test('as a tree for people, and as a picture with every piece of it', async () => {
  const { out, code } = await cli.run(['lineage', `${model}@2`, '--picture', 'lineage.svg']);
  expect(code).toBe(0);
  expect(out).toMatch(/came from\n {2}registered: car-truck-r2 .*\n {4}rows: snapshot/);
  expect(out).toContain('goes on behind car-truck@1');
  const picture = await readFile(join(cli.folder, 'lineage.svg'), 'utf8');
  const { nodes } = await lineage(`${model}@2`);
  expect(picture.match(/<g class=/g)).toHaveLength(nodes.length);
  for (const { kind, name } of nodes) expect(picture).toContain(`>${name.replace(`${kind} `, '')}<`);
});

test('what is not there is named', async () => {
  for (const [name, code, said] of [[`${model}@9`, 1, 'version/unknown'], ['0123456789', 1, 'snapshot/unknown'], ['car-truck', 1, 'features/unknown'], ['Car-Truck', 2, 'is no version'], [`${model}@1 --depth 0`, 2, '--depth']] as const) {
    const ran = await cli.run(['lineage', ...name.split(' ')]);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(said)]);
  }
});
