import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNotifyActivities } from '../../activities/notify/index.js';
import { createRecordActivities } from '../../activities/record/index.js';
import { createSourceActivities } from '../../activities/source/index.js';
import { workflowId } from '../../contract/names.js';
import { useStack } from '../support/use-stack.js';
import { createDataStack } from './support/data.js';
import type { DataStack } from './support/data.js';

const exec = promisify(execFile);
let stack: DataStack;
let connection: Connection;
let source: ReturnType<typeof createSourceActivities>;
let record: ReturnType<typeof createRecordActivities>;
let notify: ReturnType<typeof createNotifyActivities>;

beforeAll(async () => {
  stack = await createDataStack();
  const { config: { temporal } } = await useStack(['temporal']);
  connection = await Connection.connect({ address: temporal.address });
  const deps = { ...stack.deps, temporal: new Client({ connection, namespace: temporal.namespace }) };
  source = createSourceActivities(deps);
  notify = createNotifyActivities(deps);
  record = createRecordActivities(deps);
});
afterAll(async () => {
  await connection.close();
  await stack.close();
});

const inActivity = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run<[], T, () => Promise<T>>(work);

const viewFile = (name: string) => `import { defineFeatureView } from 'perennial';
export default defineFeatureView({
  schema: 1, name: '${name}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'How often customers came.', entity: [{ name: 'customer', type: 'text' }], timestamp: 'day',
  source: { kind: 'parquet', location: 'activity', path: '*.parquet' }, columns: ['visits'], schedule: '1h', ttl: '400d', freshness: '2h',
});`;
const modelFile = (name: string, view: string | null, rest = '') => `import { defineModel, layers } from 'perennial';
export default defineModel({
  schema: 1, name: '${name}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'Tells customers who come back.',
  data: {
    kind: 'table', columns: ['basket', { name: 'visits', type: 'number', nullable: true }], ${view === null ? '' : `views: [{ view: '${view}', key: { customer: 'who' }, columns: ['visits'] }],`}
    target: { name: 'back', classes: ['no', 'yes'] },
    sources: [{ kind: 'parquet', location: 'orders', path: '*.parquet', key: 'id', ${view === null ? '' : `eventTime: 'ordered',`} split: { byKey: { train: 0.7, test: 0.3 } } }],
  },
  network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] },
  training: { optimizer: { kind: 'adam', learningRate: 0.03 }, epochs: 1, batchSize: 16, seed: 1 },
  evaluation: { gates: [{ kind: 'at-least', name: 'learned', metric: 'accuracy', threshold: 0.9, minimumRows: 10 }] }, ${rest}
});`;

/** A registered repository; `take` does what the intake of a commit with these files does. */
async function repository(name: string) {
  const folder = join(stack.folder, name);
  const git = async (...args: string[]) => (await exec('git', ['-C', folder, '-c', 'user.name=Dana', '-c', 'user.email=dana@example.com', ...args])).stdout.trim();
  await mkdir(folder, { recursive: true });
  await git('init', '--quiet', '--initial-branch', 'main');
  await stack.stores.repositories.add({ name, url: folder, branches: ['main'], pollSeconds: 0, by: 'ada' });
  const commit = async (files: Readonly<Record<string, string>>) => {
    await git('rm', '-r', '--quiet', '--ignore-unmatch', '.');
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', `holds ${Object.keys(files).join(', ')}`);
    return git('rev-parse', 'HEAD');
  };
  const read = (at: string, branch = 'main') => inActivity(() => source.readCommit({ repository: name, commit: at, branch, via: 'local' }));
  const accept = async (at: string, told: Awaited<ReturnType<typeof read>>) => {
    const { ended = [] } = await inActivity(() => source.acceptCommit({ repository: name, commit: at, ...told })) ?? {};
    for (const view of new Set([...told.views, ...ended])) await inActivity(() => notify.keepMaterialising({ view }));
  };
  return { folder, git, commit, read, accept, take: async (files: Readonly<Record<string, string>>) => { const at = await commit(files); await accept(at, await read(at)); return at; } };
}

async function hasSchedule(view: string): Promise<boolean> {
  return new Client({ connection, namespace: (await useStack(['temporal'])).config.temporal.namespace }).schedule.getHandle(workflowId.materialise(view)).describe().then(() => true, (error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  });
}
const names = () => ({ view: `view-${randomUUID().slice(0, 8)}`, model: `model-${randomUUID().slice(0, 8)}`, name: `shop-${randomUUID().slice(0, 8)}` });
const inForce = async (view: string) => (await stack.stores.featureViews.current(view))?.commit ?? null;

describe('a feature view that leaves its repository', { timeout: 60_000 }, () => {
  it('ends with its schedule, and goes on when it is put back', async () => {
    const { view, model, name } = names();
    const shop = await repository(name);
    const first = await shop.take({ 'a.view.ts': viewFile(view), 'm.model.ts': modelFile(model, null) });
    expect([await inForce(view), await hasSchedule(view)]).toEqual([first, true]);
    const second = await shop.take({ 'm.model.ts': modelFile(model, null) });
    expect([await inForce(view), await hasSchedule(view)]).toEqual([null, false]);
    expect((await stack.stores.models.get(model))?.currentCommit).toBe(second);
    // The former commit is told of again, late: the newer one decides.
    await shop.accept(first, await shop.read(first));
    expect([await inForce(view), await hasSchedule(view)]).toEqual([null, false]);
    const back = await shop.take({ 'a.view.ts': viewFile(view), 'm.model.ts': modelFile(model, view) });
    expect([await inForce(view), await hasSchedule(view)]).toEqual([back, true]);
  });

  it('cannot while a model in force takes its columns, of its own repository or of another', async () => {
    const [of, other] = [names(), names()];
    const [shop, guest] = [await repository(of.name), await repository(other.name)];
    const first = await shop.take({ 'a.view.ts': viewFile(of.view), 'm.model.ts': modelFile(of.model, of.view) });
    const named = await guest.take({ 'm.model.ts': modelFile(other.model, of.view) });
    const refused = async (files: Readonly<Record<string, string>>) => shop.read(await shop.commit(files)).then(() => null, (error: unknown) => error);
    // First another repository's model is in the way, then its own names a view that is no more; a model whose file is gone is in force all the same.
    expect(await refused({ 'm.model.ts': modelFile(of.model, of.view) })).toMatchObject({ code: 'features/in-use', message: expect.stringContaining(`its columns are taken by ${other.model} (commit ${named.slice(0, 12)} of ${other.name})`) as string });
    await guest.take({ 'm.model.ts': modelFile(other.model, null) });
    expect(await refused({ 'm.model.ts': modelFile(of.model, of.view) })).toMatchObject({ code: 'definition/invalid', message: expect.stringContaining(`found ${of.view}`) as string });
    expect(await refused({ 'other.model.ts': modelFile(`${of.model}-2`, null) })).toMatchObject({ code: 'features/in-use', details: { view: of.view, models: [of.model] } });
    expect([await inForce(of.view), await hasSchedule(of.view)]).toEqual([first, true]);
    await shop.take({ 'm.model.ts': modelFile(of.model, null) });
    expect([await inForce(of.view), await hasSchedule(of.view)]).toEqual([null, false]);
  });
});

describe('a model whose file leaves its repository', { timeout: 60_000 }, () => {
  const ask = (model: string, kind: 'schedule' | 'drift' | 'loss' | 'commit' | 'request', commit: string | null = null) => {
    const id = randomUUID();
    return record.createRun({ model, request: { v: 1, id, cause: id, commit, reason: { kind, detail: 'a test', by: 'test', force: false } } });
  };
  const of = async (model: string) => (await stack.stores.models.get(model))?.removed?.commit ?? null;
  const told = async (model: string) => (await stack.stores.ledger.list(`${model}/runs`)).map(({ action, subject }) => [action, subject['commit'] ?? subject['code']]);
  const everyMs = async (model: string) => (await record.governorPolicy({ model })).everyMs;

  it('is paused and its owner is told, once; what is in force stays; it trains on request, and by itself again when the file is back', async () => {
    const { model, name } = names();
    const [own, other] = [modelFile(model, null, 'retraining: { every: \'1d\' }'), modelFile(`${model}-2`, null)];
    const shop = await repository(name);
    const first = await shop.take({ 'm.model.ts': own, 'other.model.ts': other });
    expect([await of(model), await everyMs(model)]).toEqual([null, 86_400_000]);

    const gone = await shop.take({ 'other.model.ts': other });
    await shop.take({ 'other.model.ts': other, 'readme.txt': 'nothing new of it' });
    expect([await of(model), await of(`${model}-2`), await everyMs(model)]).toEqual([gone, null, null]);
    expect((await stack.stores.models.currentDefinition(model))?.commit).toBe(first);
    expect((await stack.stores.outbox.pending()).filter(({ id }) => id.includes(model))).toMatchObject([{ id: `removed/${model}/${gone}`, payload: { to: ['team@example.com'], subject: `${model}: its file is gone from ${name}`, text: expect.stringContaining(`Commit ${gone} of ${name} does not hold the model ${model} any more (it was in m.model.ts)`) as string } }]);

    // Told of the former commit again, late, it stays removed.
    await shop.accept(first, await shop.read(first));
    for (const [kind, commit] of [['schedule', null], ['drift', null], ['loss', null], ['commit', first]] as const) expect(await ask(model, kind, commit)).toEqual({ kind: 'refused' });
    expect(await ask(model, 'request')).toMatchObject({ kind: 'run', open: true });
    expect(await told(model)).toEqual([['model-removed', gone], ...['schedule', 'drift', 'loss', 'commit'].map(() => ['request-refused', 'model/removed']), ['run-started', first]]);

    const back = await shop.commit({ 'other.model.ts': other, 'elsewhere.model.ts': own });
    const read = await shop.read(back);
    expect(await ask(model, 'commit', back)).toMatchObject({ kind: 'run' }); // as intake asks: before the commit is accepted
    await shop.accept(back, read);
    expect([await of(model), await everyMs(model)]).toEqual([null, 86_400_000]);
    expect((await told(model)).slice(-2)).toEqual([['model-restored', back], ['run-started', back]]);
  });

  it('may be the last of its branch; a branch that never had one is refused', async () => {
    const { model, name } = names();
    const shop = await repository(name);
    await expect(shop.take({ 'readme.txt': 'no model yet' })).rejects.toMatchObject({ code: 'definition/missing' });
    await shop.take({ 'm.model.ts': modelFile(model, null) });
    const gone = await shop.take({ 'readme.txt': 'no model any more' });
    expect([await of(model), (await stack.stores.models.getIntake(name, gone))?.status]).toEqual([gone, 'accepted']);
  });
});

it('a commit that is on another branch than was told of, or on none that is there, is refused with the branch', { timeout: 60_000 }, async () => {
  const { name, model } = names();
  const shop = await repository(name);
  await shop.commit({ 'm.model.ts': modelFile(model, null) });
  const nowhere = '0123456789'.repeat(4);
  await expect(shop.read(nowhere)).rejects.toMatchObject({ code: 'repository/commit-missing', message: `repository ${name} has no commit ${nowhere} on branch main, and would not give it by itself: the commit may be on another branch` });
  await expect(shop.read(nowhere, 'mian')).rejects.toMatchObject({ code: 'repository/commit-missing', message: expect.stringContaining(`repository ${name} has no branch mian`) as string });
  await rm(shop.folder, { recursive: true });
  await expect(shop.read(nowhere)).rejects.toMatchObject({ code: 'repository/unreachable' });
});
