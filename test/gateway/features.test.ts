import { afterAll, beforeAll, expect, it } from 'vitest';
import { FeatureView } from '../../definition/feature-view.js';
import { commit, digest, ref } from '../stores/samples.js';
import { startTestGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
beforeAll(async () => { gateway = await startTestGateway(); });
afterAll(async () => { await gateway.close(); });

it('feature views are shown to everybody who may read; only those who may can materialise one, which the same id does once', async () => {
  const { stores } = gateway;
  const view = FeatureView.parse({
    schema: 1, name: 'activity', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'visits', entity: [{ name: 'customer', type: 'text' }], timestamp: 'day',
    source: { kind: 'parquet', location: 'rows', path: '*.parquet' }, columns: ['visits'], schedule: '1h', ttl: '30d', freshness: '2h',
  });
  await stores.repositories.add({ name: 'cars', url: 'file:///cars', branches: ['main'], pollSeconds: 0, by: 'ada' });
  await stores.featureViews.ensure({ view, repository: 'cars', path: 'activity.view.ts' });
  await stores.featureViews.saveDefinition({ view: 'activity', repository: 'cars', commit: commit('a'), path: 'activity.view.ts', digest: digest('a'), definition: view, bundle: ref('bundle') });
  await stores.featureViews.setCurrent('activity', commit('a'), { instead: null });
  const [viewer, scientist] = [await gateway.tokenWith(['viewer']), await gateway.tokenWith(['scientist'])];
  const shown = async () => (await gateway.call('GET', '/features', { token: viewer })).body as unknown as { views: { view: string; stale: boolean; lastFailure: { error: { code: string } } | null }[] };
  expect((await shown()).views).toMatchObject([{ view: 'activity', asOf: null, stale: true, rows: 0, entities: 0, lastRun: null, lastFailure: null, columns: ['visits'], commit: commit('a') }]);

  expect(await gateway.call('POST', '/features/activity/materialise', { token: viewer, body: {} })).toMatchObject({ status: 403 });
  expect(await gateway.call('POST', '/features/nowhere/materialise', { token: scientist, body: {} })).toMatchObject({ status: 404, body: { error: { code: 'features/unknown' } } });
  const asked = async () => gateway.call('POST', '/features/activity/materialise', { token: scientist, body: { id: 'first-time', full: true } });
  expect(await asked()).toMatchObject({ status: 202, body: { view: 'activity', materialisation: 'first-time' } });
  expect(await asked()).toMatchObject({ status: 202 });
  expect(await gateway.client.workflow.getHandle('materialise/activity/first-time').describe()).toMatchObject({ type: 'materialise' });
  const state = async () => (await gateway.call('GET', '/features/activity/materialisations/first-time', { token: viewer })).body;
  expect(await state()).toMatchObject({ status: 'starting' });

  await stores.featureStores.begin({ id: 'first-time', view: 'activity', digest: digest('a'), asOf: '2026-10-01T00:00:00.000Z' });
  await stores.featureStores.fail({ id: 'first-time', view: 'activity', error: { code: 'features/blocked', message: 'no column visits', next: 'add it' } });
  expect(await state()).toMatchObject({ status: 'failed', error: { code: 'features/blocked' } });
  expect((await shown()).views[0]?.lastFailure).toMatchObject({ error: { code: 'features/blocked' } });
  await stores.featureStores.begin({ id: 'again', view: 'activity', digest: digest('a'), asOf: new Date().toISOString() });
  await stores.featureStores.skip({ id: 'again', view: 'activity', digest: digest('a') });
  expect((await shown()).views[0]?.lastFailure).toBeNull();
});
