import { randomUUID } from 'node:crypto';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import type { ReleaseRequest } from '../../contract/signals.js';
import { addModel } from '../stores/samples.js';
import { createJudgedStack } from './support/judged.js';

describe('admission to an environment', () => {
  let world: Awaited<ReturnType<typeof createJudgedStack>>;
  let ada: string;
  beforeAll(async () => {
    world = await createJudgedStack();
    ada = await world.addPerson('ada', true);
  });
  afterAll(async () => { await world.close(); });

  const requestOf = (candidate: { run: string; version: number; evidence: string }): ReleaseRequest => ({ v: 1, id: `${candidate.run}/${candidate.evidence}`, run: candidate.run, version: candidate.version, evidence: candidate.evidence, force: false, by: candidate.run, replyTo: '', keepWarmMs: 1_000 });
  const approved = async (model: string) => {
    const candidate = await world.candidate(model);
    await world.approve.admitDecision({ model, run: candidate.run, environment: 'production', via: 'update', payload: world.decision(ada, candidate.run, candidate.evidence) });
    await world.register.recordApproved({ model, ...candidate });
    return candidate;
  };
  /** Admission, the write and the record, as the environment's workflow does them. */
  const release = async (model: string, request: ReleaseRequest) => {
    const verdict = await world.admission.admitRelease({ model, environment: 'production', request });
    if (verdict.kind !== 'admit') return verdict;
    const written = await world.release.writeRoute({ environment: 'production', model, expected: verdict.generation, intent: request.id, version: request.version, keepWarmMs: 1, by: 'test', reason: 'test' });
    if (written.ok) await world.admission.recordReleased({ model, environment: 'production', request, generation: written.generation, previous: verdict.liveVersion, confirmed: [], unconfirmed: [] });
    return { ...verdict, written };
  };
  const statuses = async (model: string) => Object.fromEntries((await world.stores.versions.list(model)).map(({ version, status }) => [version, status]));

  it('a version without an approved decision is refused, and nothing is written', async () => {
    const model = await addModel(world.stores);
    const candidate = await world.candidate(model);
    expect(await release(model, requestOf(candidate))).toMatchObject({ kind: 'answer', reply: { outcome: 'refused' } });
    expect(await world.stores.routes.current('production', model)).toBeNull();
    expect((await world.stores.ledger.list(`${model}/production`)).map((entry) => entry.action)).toContain('release-refused');
  });

  it('of two candidates that were approved against the same live version, the second is judged again', async () => {
    const model = await addModel(world.stores);
    const first = await approved(model);
    const second = await approved(model);
    expect(await release(model, requestOf(first))).toMatchObject({ kind: 'admit', written: { ok: true, generation: 1 } });
    expect(await release(model, requestOf(second))).toMatchObject({ kind: 'answer', reply: { outcome: 'stale', generation: 1 } });
    expect(await statuses(model)).toEqual({ 1: 'live', 2: 'approved' });
  });

  it('a release that was written before a crash is recorded under the same generation', async () => {
    const model = await addModel(world.stores);
    const candidate = await approved(model);
    const request = requestOf(candidate);
    const before = await world.admission.admitRelease({ model, environment: 'production', request });
    if (before.kind !== 'admit') throw new Error('not admitted');
    await world.release.writeRoute({ environment: 'production', model, expected: before.generation, intent: request.id, version: request.version, keepWarmMs: 1, by: 'test', reason: 'test' });
    expect(await release(model, request)).toMatchObject({ kind: 'admit', generation: 0, liveVersion: null, written: { ok: true, generation: 1 } });
    expect((await world.stores.routes.history('production', model))).toHaveLength(1);
    expect(await statuses(model)).toEqual({ 1: 'live' });
  });

  it('an older version is not released over a newer one, unless forced', async () => {
    const model = await addModel(world.stores);
    const [first, second] = [await approved(model), await approved(model)];
    await release(model, requestOf(second));
    expect(await release(model, requestOf(first))).toMatchObject({ kind: 'answer', reply: { outcome: 'refused' } });
    expect(await release(model, { ...requestOf(first), id: randomUUID(), force: true })).toMatchObject({ kind: 'admit' });
    expect(await statuses(model)).toEqual({ 1: 'live', 2: 'retired' });
  });

  it('releases wait while the environment is frozen or paused', async () => {
    const model = await addModel(world.stores);
    const candidate = await approved(model);
    const environment = await world.stores.environments.get('production');
    if (!environment) throw new Error('no production');
    const until = new Date(Date.now() + 30_000).toISOString();
    await world.stores.environments.setPolicy('production', { ...environment.policy, freezes: [{ from: new Date(Date.now() - 1_000).toISOString(), until, reason: 'sale' }] }, 'test');
    expect(await release(model, requestOf(candidate))).toMatchObject({ kind: 'hold' });
    await world.stores.environments.setPolicy('production', environment.policy, 'test');
    await world.admission.setPaused({ model, environment: 'production', paused: true, request: { v: 1, id: randomUUID(), by: 'ops', reason: 'looking' } });
    expect(await release(model, requestOf(candidate))).toMatchObject({ kind: 'hold' });
    await world.admission.setPaused({ model, environment: 'production', paused: false, request: { v: 1, id: randomUUID(), by: 'ops', reason: 'fine', version: null } });
    expect(await release(model, requestOf(candidate))).toMatchObject({ kind: 'admit' });
  });

  it('a rollback goes to the version before, quarantines the one it leaves, and that one stays out until resume', async () => {
    const model = await addModel(world.stores);
    const first = await approved(model);
    await release(model, requestOf(first));
    const second = await approved(model);
    await release(model, requestOf(second));

    const request = { v: 1, id: randomUUID(), reason: 'errors', by: 'ops', to: null } as const;
    const choice = await world.admission.chooseRollback({ model, environment: 'production', request });
    expect(choice).toMatchObject({ kind: 'switch', from: 2, to: 1, generation: 2 });
    if (choice.kind !== 'switch') return;
    await world.release.writeRoute({ environment: 'production', model, expected: choice.generation, intent: request.id, version: choice.to, keepWarmMs: 1, by: 'ops', reason: request.reason });
    expect(await world.admission.chooseRollback({ model, environment: 'production', request })).toEqual(choice);
    await world.admission.recordRollback({ model, environment: 'production', request, from: 2, to: 1, generation: 3, confirmed: [], unconfirmed: [] });
    expect(await statuses(model)).toEqual({ 1: 'live', 2: 'quarantined' });

    expect(await release(model, { ...requestOf(second), id: randomUUID(), force: true })).toMatchObject({ kind: 'answer', reply: { outcome: 'refused', message: expect.stringContaining('quarantined') as string } });
    await world.admission.setPaused({ model, environment: 'production', paused: false, request: { v: 1, id: randomUUID(), by: 'ops', reason: 'repaired', version: 2 } });
    expect(await release(model, { ...requestOf(second), id: randomUUID(), force: true })).toMatchObject({ kind: 'admit' });
  });

  it('there is nothing to roll back to after the first release', async () => {
    const model = await addModel(world.stores);
    await release(model, requestOf(await approved(model)));
    expect(await world.admission.chooseRollback({ model, environment: 'production', request: { v: 1, id: randomUUID(), reason: 'x', by: 'ops', to: null } })).toEqual({ kind: 'refused' });
    expect((await world.stores.ledger.list(`${model}/production`)).map((entry) => entry.action)).toContain('rollback-refused');
  });

  it('after a route was written by hand the registry follows it', async () => {
    const model = await addModel(world.stores);
    await release(model, requestOf(await approved(model)));
    await release(model, requestOf(await approved(model)));
    await world.stores.routes.write({ environment: 'production', model, expected: 2, intent: 'by-hand', arms: [{ version: 1, role: 'live', share: 1 }], keepWarmMs: 1, by: 'ops', reason: 'Temporal is away' });
    await world.admission.reconcileRoute({ model, environment: 'production' });
    await world.admission.reconcileRoute({ model, environment: 'production' });
    expect(await statuses(model)).toEqual({ 1: 'live', 2: 'retired' });
  });
});
