import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { addModel } from '../stores/samples.js';
import { createJudgedStack } from './support/judged.js';

describe('decisions', () => {
  let world: Awaited<ReturnType<typeof createJudgedStack>>;
  let model: string;
  let ada: string;
  let eve: string;
  beforeAll(async () => {
    world = await createJudgedStack();
    model = await addModel(world.stores);
    ada = await world.addPerson('ada', true);
    eve = await world.addPerson('eve', false);
  });
  afterAll(async () => { await world.close(); });

  const admit = (run: string, payload: unknown, environment: string | null = 'production') => world.approve.admitDecision({ model, run, environment, via: 'signal', payload });
  const ledger = async (run: string) => (await world.stores.ledger.list(`${model}/production`)).filter((entry) => entry.subject['run'] === run).map((entry) => entry.action);

  it('accepts an approver\'s signed decision, once, and the same one again after a crash', async () => {
    const { run, evidence } = await world.candidate(model);
    const decision = world.decision(ada, run, evidence);
    expect(await admit(run, decision)).toEqual({ accepted: true, verdict: 'approve' });
    expect(await admit(run, decision)).toEqual({ accepted: true, verdict: 'approve' });
    expect((await world.stores.decisions.list(run)).filter((row) => row.accepted)).toHaveLength(1);
    expect(await ledger(run)).toEqual(['approved']);
  });

  it.each([
    ['without a signature', 'decision/unsigned', (run: string, evidence: string) => ({ ...world.decision(ada, run, evidence), signature: undefined })],
    ['signed by another key', 'decision/unsigned', (run: string, evidence: string) => ({ ...world.decision(eve, run, evidence), approver: ada })],
    ['changed after it was signed', 'decision/unsigned', (run: string, evidence: string) => ({ ...world.decision(ada, run, evidence, 'reject'), verdict: 'approve' })],
    ['by somebody who may not', 'decision/not-allowed', (run: string, evidence: string) => world.decision(eve, run, evidence)],
    ['by nobody we know', 'decision/unknown-approver', (run: string, evidence: string) => ({ ...world.decision(ada, run, evidence), approver: 'mallory' })],
    ['on other evidence', 'decision/stale-evidence', (run: string) => world.decision(ada, run, 'f'.repeat(64))],
    ['that is no decision', 'decision/malformed', () => ({ hello: 'world' })],
    ['that is nothing at all', 'decision/malformed', () => null],
  ])('refuses a decision %s, on the record', async (_what, code, forge) => {
    const { run, evidence } = await world.candidate(model);
    const payload = forge(run, evidence);
    expect(await admit(run, payload)).toEqual({ accepted: false });
    expect(await admit(run, payload)).toEqual({ accepted: false });
    expect(await world.refusals(run)).toEqual([code]);
    expect(await ledger(run)).toEqual(['decision-refused']);
    expect((await world.stores.decisions.list(run)).some((row) => row.accepted)).toBe(false);
  });

  it('the first valid decision wins; a second one is refused as repeated', async () => {
    const { run, evidence } = await world.candidate(model);
    const bob = await world.addPerson('bob', true);
    expect(await admit(run, world.decision(ada, run, evidence, 'reject'))).toEqual({ accepted: true, verdict: 'reject' });
    expect(await admit(run, world.decision(bob, run, evidence, 'approve'))).toEqual({ accepted: false });
    expect(await world.refusals(run)).toEqual(['decision/repeated']);
  });

  it('a decision after the end is refused as late', async () => {
    const { run, evidence } = await world.candidate(model);
    await world.stores.runs.end(run, 'expired');
    expect(await admit(run, world.decision(ada, run, evidence), null)).toEqual({ accepted: false });
    expect(await world.refusals(run)).toEqual(['decision/late']);
  });

  it('only the named approvers decide where the environment names some', async () => {
    const bob = await world.addPerson('bob', true);
    const environment = await world.stores.environments.get('production');
    if (!environment) throw new Error('no production');
    await world.stores.environments.setPolicy('production', { ...environment.policy, approvers: [bob] }, 'test');
    const { run, evidence } = await world.candidate(model);
    expect(await admit(run, world.decision(ada, run, evidence))).toEqual({ accepted: false });
    expect(await admit(run, world.decision(bob, run, evidence))).toEqual({ accepted: true, verdict: 'approve' });
    await world.stores.environments.setPolicy('production', environment.policy, 'test');
  });

  it('being named does not replace the role, and a disabled approver decides nothing', async () => {
    const gone = await world.addPerson('gone', true);
    await world.stores.principals.disable(gone);
    const environment = await world.stores.environments.get('production');
    if (!environment) throw new Error('no production');
    await world.stores.environments.setPolicy('production', { ...environment.policy, approvers: [eve, gone] }, 'test');
    const { run, evidence } = await world.candidate(model);
    expect(await admit(run, world.decision(eve, run, evidence))).toEqual({ accepted: false });
    expect(await admit(run, world.decision(gone, run, evidence))).toEqual({ accepted: false });
    await world.stores.environments.setPolicy('production', environment.policy, 'test');
    expect(await admit(run, world.decision(gone, run, evidence, 'reject'))).toEqual({ accepted: false });
    expect(await world.refusals(run)).toEqual(['decision/not-allowed', 'decision/not-allowed', 'decision/not-allowed']);
  });

  it('approves without a person only where the environment allows it, on the present evidence', async () => {
    const { run, evidence } = await world.candidate(model);
    const ask = (digest: string) => world.approve.approveAutomatically({ model, run, environment: 'production', evidence: digest });
    expect(await ask(evidence)).toEqual({ accepted: false });
    const environment = await world.stores.environments.get('production');
    if (!environment) throw new Error('no production');
    await world.stores.environments.setPolicy('production', { ...environment.policy, automaticApproval: true }, 'test');
    expect(await ask('f'.repeat(64))).toEqual({ accepted: false });
    expect(await ask(evidence)).toEqual({ accepted: true });
    expect(await ask(evidence)).toEqual({ accepted: true });
    await world.stores.environments.setPolicy('production', environment.policy, 'test');
    expect((await world.stores.decisions.list(run)).map((row) => [row.decision.approver, row.via])).toEqual([['policy', 'automatic']]);
  });
});
