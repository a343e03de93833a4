import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStores } from '../../stores/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { addModel, addRun, commit, digest, reason, ref, versionOf } from './samples.js';

let t: TestDatabase;
beforeAll(async () => { t = await createTestDatabase({ max: 12 }); });
afterAll(() => t.drop());

const times = <T>(n: number, fn: (index: number) => Promise<T>) => Promise.all(Array.from({ length: n }, (_, index) => fn(index)));

describe('repositories and hooks', () => {
  it('a head is new once, and an older head that comes back is new again', async () => {
    await addModel(t.stores);
    const { repositories } = t.stores;
    expect(await repositories.setHead('cars', 'main', commit('a'))).toBe(true);
    expect(await repositories.setHead('cars', 'main', commit('a'))).toBe(false);
    expect(await repositories.setHead('cars', 'main', commit('b'))).toBe(true);
    expect(await repositories.setHead('cars', 'main', commit('a'))).toBe(true);
    expect((await repositories.heads('cars')).map((head) => [head.branch, head.commit])).toEqual([['main', commit('a')]]);
    await expect(repositories.setHead('nobody', 'main', commit('a'))).rejects.toMatchObject({ code: 'repository/unknown' });
  });

  it('a delivery counts once, refusals are counted and strangers share one row', async () => {
    const { hooks } = t.stores;
    expect(await hooks.recordDelivery({ repository: 'cars', delivery: 'd1', commit: commit('a') })).toBe(true);
    expect(await hooks.recordDelivery({ repository: 'cars', delivery: 'd1', commit: commit('a') })).toBe(false);
    await times(10, () => hooks.refuse({ repository: null, reason: 'forged' }));
    await hooks.refuse({ repository: 'cars', reason: 'forged' });
    const counted = (await hooks.refusals()).map((row) => [row.repository, row.reason, row.count]);
    expect(counted).toContainEqual([null, 'forged', 10]);
    expect(counted).toContainEqual(['cars', 'forged', 1]);
  });

  it('an intake starts once and ends with what became of it', async () => {
    const { models } = t.stores;
    const intake = { repository: 'cars', commit: commit('intake'), branch: 'main', committer: { name: 'Ada', email: 'ada@example.com' }, message: 'first\0' };
    expect(await models.startIntake(intake)).toBe(true);
    expect(await models.startIntake(intake)).toBe(false);
    const error = { code: 'definition/invalid', message: 'name: too long', next: 'shorten it', details: { text: 'a\0b\ud800' } };
    await models.finishIntake({ repository: 'cars', commit: intake.commit, status: 'refused', models: [], error });
    expect(await models.getIntake('cars', intake.commit)).toMatchObject({ status: 'refused', message: 'first\uFFFD', error: { ...error, details: { text: 'a\uFFFDb\uFFFD' } } });
  });
});

describe('models and definitions', () => {
  it('a name belongs to the repository that used it first', async () => {
    const name = await addModel(t.stores);
    await t.stores.repositories.add({ name: 'others', url: 'file:///others', branches: ['main'], pollSeconds: 60, by: 'eve' });
    const owner = { name: 'Eve', email: 'eve@example.com' };
    await expect(t.stores.models.ensure({ name, repository: 'others', path: 'x.model.ts', owner, purpose: 'mine now' })).rejects.toMatchObject({ code: 'definition/invalid' });
    expect(await t.stores.models.get(name)).toMatchObject({ repository: 'cars', owner: { name: 'Ada' } });
  });
});

describe('runs', () => {
  it('one model and cause give one run, however many ask, and numbers have no gaps', async () => {
    const model = await addModel(t.stores);
    const other = t.another({ max: 6 });
    const wanted = { model, cause: 'commit/1', reason, commit: commit('1'), trainingDigest: digest('t'), policyDigest: digest('p') };
    const made = await times(20, (index) => (index % 2 ? t : other).stores.runs.create(wanted));
    expect(new Set(made.map(({ run }) => run.id))).toEqual(new Set([`${model}-r1`]));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    await times(10, (index) => t.stores.runs.create({ ...wanted, cause: `commit/${index + 2}` }));
    expect((await t.stores.runs.open(model)).map((run) => run.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await expect(t.stores.runs.create({ ...wanted, model: 'nobody' })).rejects.toMatchObject({ code: 'model/unknown' });
  });

  it('the first end wins; its retry is told that it was its own', async () => {
    const model = await addModel(t.stores);
    const id = await addRun(t.stores, model);
    await t.stores.runs.setStep(id, 'train', 'running');
    const error = { code: 'training/time', message: 'too long', next: 'less' };
    expect(await t.stores.runs.end(id, 'failed', error)).toBe(true);
    expect(await t.stores.runs.end(id, 'failed', error)).toBe(true);
    expect(await t.stores.runs.end(id, 'released')).toBe(false);
    expect(await t.stores.runs.setStep(id, 'evaluate', 'running')).toBe(false);
    expect(await t.stores.runs.get(id)).toMatchObject({ status: 'failed', step: 'train', error });
    expect(await t.stores.runs.lastEnded(model)).toMatchObject({ id });
    expect(await t.stores.runs.open(model)).toEqual([]);
  });

  it('finds the run that trained the same before, not the asking one and not one that never finished', async () => {
    const { runs, versions } = t.stores;
    const model = await addModel(t.stores);
    const [first, second, third] = [await addRun(t.stores, model), await addRun(t.stores, model), await addRun(t.stores, model)];
    for (const id of [first, second, third]) await runs.setFields(id, { snapshot: digest('snapshot') });
    expect(await runs.trainedBefore(model, digest('training'), digest('snapshot'), second)).toBeNull();
    await runs.setFields(second, { candidate: ref('weights') });
    expect(await runs.trainedBefore(model, digest('training'), digest('snapshot'), second)).toBeNull();
    expect(await runs.trainedBefore(model, digest('training'), digest('snapshot'), third)).toMatchObject({ run: second, version: null, package: null });
    await versions.register(versionOf(model, second));
    expect(await runs.trainedBefore(model, digest('training'), digest('snapshot'), third)).toMatchObject({ run: second, version: 1, package: digest(`package of ${second}`) });
    expect(await runs.trainedBefore(model, digest('training'), digest('other rows'), third)).toBeNull();
  });

  it('a later event is not seen before an earlier one that is not committed yet', async () => {
    const run = await addRun(t.stores, await addModel(t.stores));
    const event = (eventId: string) => ({ run, eventId, at: new Date().toISOString(), kind: 'note' as const, message: '', data: {} });
    let second: Promise<boolean> | undefined;
    await t.db.transaction(async (tx) => {
      await createStores(tx).runs.appendEvent(event('first'));
      second = t.stores.runs.appendEvent(event('second'));
      await new Promise((settle) => setTimeout(settle, 150));
      expect(await t.stores.runs.events(run)).toEqual([]);
    });
    await second;
    expect((await t.stores.runs.events(run)).map(({ eventId }) => eventId)).toEqual(['first', 'second']);
  });

  it('an event is written once, announced once, and read on from its id', async () => {
    const run = await addRun(t.stores, await addModel(t.stores));
    const notified: string[] = [];
    const stop = await t.db.listen('run_events', (payload) => notified.push(payload));
    const seen: string[] = [];
    let after = 0;
    let writing = true;
    const reader = (async () => {
      for (let last = false; !last;) {
        last = !writing;
        for (const event of await t.stores.runs.events(run, after)) {
          seen.push(event.eventId);
          after = event.id;
        }
      }
    })();
    const event = (eventId: string) => ({ run, eventId, at: new Date().toISOString(), kind: 'progress' as const, message: 'on', data: {} });
    const fresh = await times(100, (index) => t.stores.runs.appendEvent(event(`e${index % 50}`)));
    writing = false;
    await reader;
    expect(fresh.filter(Boolean)).toHaveLength(50);
    expect(new Set(seen).size).toBe(50);
    expect(seen).toHaveLength(50);
    await expect.poll(() => notified.filter((payload) => payload === run).length).toBe(50);
    await stop();
  });
});

describe('versions', () => {
  it('a run registers one version, however often it tries, and another run the next number', async () => {
    const model = await addModel(t.stores);
    const [first, second] = [await addRun(t.stores, model), await addRun(t.stores, model)];
    const other = t.another();
    const made = await times(10, (index) => (index % 2 ? t : other).stores.versions.register(versionOf(model, first)));
    expect(made.map(({ version }) => version)).toEqual(Array(10).fill(1));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(await t.stores.versions.register(versionOf(model, second))).toMatchObject({ version: 2, created: true });
    expect((await t.stores.versions.list(model)).map(({ version, status }) => [version, status])).toEqual([[2, 'registered'], [1, 'registered']]);
  });

  it('moves only where it may, once for each event, and keeps every move', async () => {
    const model = await addModel(t.stores);
    const { version } = await t.stores.versions.register(versionOf(model, await addRun(t.stores, model)));
    const move = (to: 'tested' | 'approved' | 'live' | 'quarantined', eventId: string = to) => t.stores.versions.transition({ model, version, to, by: 'ada', why: 'test', eventId });
    await expect(move('live')).rejects.toMatchObject({ code: 'request/invalid', message: `${model}@1 is registered and cannot become live` });
    expect(await times(5, () => move('tested'))).toContainEqual({ status: 'tested', changed: true });
    await move('approved');
    expect(await move('tested')).toEqual({ status: 'approved', changed: false }); // a late retry
    await move('live');
    await move('quarantined');
    await expect(move('live', 'live again')).rejects.toMatchObject({ code: 'release/quarantined' });
    expect((await t.stores.versions.transitions(model, version)).map(({ from, to }) => [from, to])).toEqual([
      [null, 'registered'], ['registered', 'tested'], ['tested', 'approved'], ['approved', 'live'], ['live', 'quarantined']]);
    await expect(t.stores.versions.transition({ model, version: 9, to: 'tested', by: 'ada', why: '', eventId: 'x' })).rejects.toMatchObject({ code: 'version/unknown' });
  });

  it('what was recorded cannot be rewritten', async () => {
    const model = await addModel(t.stores);
    await t.stores.versions.register(versionOf(model, await addRun(t.stores, model)));
    await expect(t.db.query("update version_transitions set to_status = 'live' where model = $1", [model])).rejects.toThrow(/append-only/);
    await expect(t.db.query('delete from version_transitions where model = $1', [model])).rejects.toThrow(/append-only/);
  });
});
