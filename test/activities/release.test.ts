import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployActivities } from '../../activities/deploy/index.js';
import type { ActivityDeps } from '../../activities/deps.js';
import { createReleaseActivities } from '../../activities/release/index.js';
import { PerennialError } from '../../contract/errors.js';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import { ModelDefinition } from '../../definition/model.js';
import { classesOf } from '../runtime/support/evaluated.js';
import { pictureDefinition } from '../runtime/support/definitions.js';
import { createFixture, tfjsNode, type Fixture } from '../serving/support.js';
import { digest, ref } from '../stores/samples.js';
import { until } from '../support/until.js';

let fixture: Fixture;
let deps: ActivityDeps;

beforeAll(async () => {
  fixture = await createFixture();
  deps = {
    stores: fixture.database.stores, artifacts: fixture.artifacts, scratch: join(fixture.folder, 'scratch'), tfjsNode, publicUrl: '', mailFrom: '', serverToken: () => Promise.resolve(fixture.token), sqlConnection: () => null, pseudonymKey: () => Promise.resolve('a secret of tests'),
    // These activities talk to no workflow.
    temporal: {} as ActivityDeps['temporal'],
  };
});
afterAll(() => fixture?.close());

const run = <T>(activity: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run<[], T, () => Promise<T>>(activity);

describe('a release', () => {
  test('is written once, confirmed by every leased replica, and quick while the version is warm', async () => {
    const { model, environment } = await fixture.place();
    const [first, second] = [await fixture.addVersion(model), await fixture.addVersion(model)];
    const release = createReleaseActivities(deps);
    const request = (version: number | null, expected: number) => ({ environment, model, expected, intent: randomUUID(), version, keepWarmMs: 60_000, by: 'ada', reason: 'test' });

    const alone = await release.writeRoute(request(first, 0));
    expect(alone).toEqual({ ok: true, generation: 1 });
    expect(await run(() => release.confirmRoute({ environment, model, generation: 1, version: first, timeoutMs: 200 }))).toEqual({ confirmed: [], unconfirmed: [`${environment}: no server has a lease`], failed: [] });

    const servers = await Promise.all([fixture.serve(environment, { replica: 'one' }), fixture.serve(environment, { replica: 'two' })]);
    expect(await run(() => release.confirmRoute({ environment, model, generation: 1, version: first, timeoutMs: 20_000 }))).toEqual({ confirmed: ['one', 'two'], unconfirmed: [], failed: [] });

    const wanted = request(second, 1);
    expect(await release.writeRoute(wanted)).toEqual({ ok: true, generation: 2 });
    expect(await release.writeRoute(wanted)).toEqual({ ok: true, generation: 2 });
    expect(await release.writeRoute(request(first, 1))).toEqual({ ok: false, generation: 2 });
    expect((await run(() => release.confirmRoute({ environment, model, generation: 2, version: second, timeoutMs: 20_000 }))).confirmed).toEqual(['one', 'two']);

    await release.writeRoute(request(first, 2));
    expect((await run(() => release.confirmRoute({ environment, model, generation: 3, version: first, timeoutMs: 20_000 }))).confirmed).toEqual(['one', 'two']);

    expect(await run(() => release.confirmRoute({ environment, model, generation: 2, version: second, timeoutMs: 20_000 }))).toMatchObject({ confirmed: [], failed: [{ replica: 'one' }, { replica: 'two' }] });
    await release.writeRoute(request(null, 3));
    expect((await run(() => release.confirmRoute({ environment, model, generation: 4, version: null, timeoutMs: 20_000 }))).confirmed).toEqual(['one', 'two']);
    await Promise.all(servers.map((server) => server.close()));
  });

  test('of a version that cannot be loaded fails at once and says why', async () => {
    const place = await fixture.place();
    const { model, environment } = place;
    const release = createReleaseActivities(deps);
    await fixture.route(place, await fixture.addVersion(model));
    const server = await fixture.serve(environment, { replica: 'only' });
    const broken = await fixture.addVersion(model, { damage: (path, bytes) => (path === 'golden.json' ? Buffer.concat([bytes, Buffer.from(' ')]) : bytes) });
    const generation = await fixture.route(place, broken);
    const confirmation = await run(() => release.confirmRoute({ environment, model, generation, version: broken, timeoutMs: 20_000 }));
    expect(confirmation).toMatchObject({ confirmed: [], failed: [{ replica: 'only', message: expect.stringContaining('does not match its digest') as string }] });
    await server.close();
  });
});

describe('the test environment', () => {
  test('shows a version through HTTP: same answers, clear refusals, latency and load; then it is empty again', async () => {
    const { model } = await fixture.place();
    const version = await fixture.addVersion(model);
    const id = (await fixture.database.stores.versions.get(model, version))?.run ?? '';
    const { snapshot, expected } = await prepare(model, id);
    const deploy = createDeployActivities(deps);
    const server = await fixture.serve('test', { replica: 'test-1' });

    expect(await deploy.acquireTestSlot({ model, run: id })).toBe(true);
    expect(await deploy.acquireTestSlot({ model, run: 'another' })).toBe(false);
    expect(await run(() => deploy.deployToTest({ model, run: id, version }))).toEqual(await run(() => deploy.deployToTest({ model, run: id, version })));
    const tested = await run(() => deploy.testOverHttp({ model, run: id, version, snapshot, expected }));
    expect(tested.report.checks.filter((check) => !check.passed)).toEqual([]);
    expect(tested.passed).toBe(true);
    expect(tested.report).toMatchObject({ rows: 20, load: { connections: 4, errors: 0 } });
    expect(tested.report.accuracy).toBeGreaterThan(0);
    expect(tested.report.checks.map(({ check }) => check)).toContain('refuses: wrong token');
    expect((await fixture.database.stores.evaluations.get(id, 'test-environment'))?.report).toEqual(tested.report);

    const other = await fixture.artifacts.putBlob(Buffer.from(JSON.stringify(fixture.trained.evaluated.keys.map((key) => ({ key, probabilities: [0.25, 0.75] })))));
    const wrong = await run(() => deploy.testOverHttp({ model, run: id, version, snapshot, expected: other }));
    expect(wrong).toMatchObject({ passed: false, error: { code: 'test-environment/failed', message: expect.stringContaining('same answers as at evaluation') as string } });

    await deploy.releaseTestSlot({ model, run: 'another' });
    expect(await deploy.acquireTestSlot({ model, run: 'another' })).toBe(false);
    await deploy.releaseTestSlot({ model, run: id });
    await until(async () => expect((await fixture.database.stores.replicas.live('test'))[0]?.serving).toMatchObject([{ model, version: null }]));
    expect(await deploy.acquireTestSlot({ model, run: 'another' })).toBe(true);
    const refused: unknown = await run(() => deploy.deployToTest({ model, run: id, version })).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PerennialError);
    expect(refused).toMatchObject({ code: 'test-environment/busy' });
    await server.close();
  });
});

/** The definition of the run, its snapshot in S3 and what the evaluation said of the test rows. */
async function prepare(model: string, id: string) {
  const { stores } = fixture.database;
  const { snapshot, evaluated } = fixture.trained;
  const definition = ModelDefinition.parse({ ...pictureDefinition(), name: model, testEnvironment: { rows: 20, p99Ms: 5_000, load: { seconds: 1, connections: 4 } } });
  const commit = (await stores.runs.get(id))?.commit ?? '';
  await stores.models.saveDefinition({ model, repository: 'cars', commit, path: 'cars.model.ts', trainingDigest: digest('t'), policyDigest: digest('p'), definition, bundle: ref('bundle'), networkBundle: null });
  const shards = await Promise.all(snapshot.localShards.map(async ({ index, split, path }) => {
    const described = snapshot.manifest.shards.find((shard) => shard.index === index && shard.split === split);
    if (!described) throw new Error('a shard is not described');
    return { ...described, file: await fixture.artifacts.putBlob(path) };
  }));
  const manifest: SnapshotManifest = { ...snapshot.manifest, shards };
  await stores.snapshots.save({
    digest: manifest.digest, model, manifest: await fixture.artifacts.putBlob(Buffer.from(JSON.stringify(manifest))), rows: 120, counts: manifest.counts, report: { v: 1, blocked: false, findings: [] }, blocked: false,
  });
  const { classes: { length: classes }, probabilities } = classesOf(evaluated);
  const rows = evaluated.keys.map((key, at) => ({ key, probabilities: [...probabilities.subarray(at * classes, (at + 1) * classes)] }));
  return { snapshot: manifest.digest, expected: await fixture.artifacts.putBlob(Buffer.from(JSON.stringify(rows))) };
}
