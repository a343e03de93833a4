import { createHmac, randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Anything, LedgerVerdict, Repositories } from '../../cli/views.js';
import { SIGNALS, workflowId } from '../../contract/names.js';
import { describeCancel } from './cases/cancel.js';
import { testFullDisk } from './cases/full-disk.js';
import { testPostgresAway } from './cases/postgres-away.js';
import { testScore, testTry } from './cases/score-and-try.js';
import { addPerson, decide, evidenceOf, signalDecision, signalWorkflow, signed } from './support/decisions.js';
import { contextOf, eventually, startHome, type RunningHome } from './support/running-home.js';
import { copyPictures, createTeam, layOutPictures, settled, tinyModel, untilWaiting, viewOf, type Team } from './support/team.js';

const [ADA, EVE] = ['ada', 'eve'];
const MODEL = 'raced';
const [FIRST, SECOND] = [`${MODEL}-r1`, `${MODEL}-r2`];

/** What people and machines get wrong, against a running installation: each ends in a clear state that says what to do. */
describe('bad input, races and outages', () => {
  let home: RunningHome;
  let pictures: string;
  let [definitions, damaged, raced] = [] as unknown as [Team, Team, Team];
  let damagedCommit: string;

  beforeAll(async () => {
    home = await startHome();
    pictures = await layOutPictures(home);
    await addPerson(home, ADA, { approver: true });
    await addPerson(home, EVE, { approver: false });
    [definitions, damaged, raced] = [await createTeam(home, 'definitions'), await createTeam(home, 'damaged'), await createTeam(home, MODEL)];
    // What takes longest begins first; the tests below wait for it.
    await raced.tell(await raced.commit({ 'raced.model.ts': tinyModel(MODEL) }));
    const [unreadable, relabelled, empty] = await Promise.all(['unreadable', 'relabelled', 'empty'].map((name) => copyPictures(home, pictures, name)));
    const [car] = readdirSync(join(unreadable ?? '', 'train', 'car'));
    await writeFile(join(unreadable ?? '', 'train', 'car', car ?? ''), 'not a picture');
    await writeFile(join(relabelled ?? '', 'train', 'truck', 'the-same.png'), await readFile(join(relabelled ?? '', 'train', 'car', car ?? '')));
    await rm(join(empty ?? '', 'train', 'truck'), { recursive: true });
    damagedCommit = await damaged.commit({
      'unreadable.model.ts': tinyModel('unreadable', { location: 'unreadable' }), 'relabelled.model.ts': tinyModel('relabelled', { location: 'relabelled' }),
      'empty.model.ts': tinyModel('empty', { location: 'empty' }), 'diverges.model.ts': tinyModel('diverges', { learningRate: '1e30' }),
    });
    await damaged.tell(damagedCommit);
  }, 300_000);
  afterAll(() => home.close(), 180_000);

  const ledger = async (action: string) => (await home.stores.ledger.list(`${MODEL}/production`)).filter((entry) => entry.action === action);
  const live = async () => (await home.world.model(MODEL)).environments.find(({ environment }) => environment === 'production');

  describe('definitions', () => {
    const cases = [
      ['that throws', { 'a.model.ts': 'throw new Error("no such constant");\nexport default 1;\n' }, 'definition/threw', ['a.model.ts', 'no such constant']],
      ['that never returns', { 'a.model.ts': 'for (;;);\nexport default 1;\n' }, 'definition/timeout', ['a.model.ts']],
      ['with a wrong value', { 'a.model.ts': tinyModel('wrong').replace('epochs: 1', 'epochs: \'many\' as never') }, 'definition/invalid', ['training.epochs', 'expected a whole number from 1 to 10000', 'found "many"']],
      ['with a field that there is not', { 'a.model.ts': tinyModel('wrong').replace('epochs: 1', 'epochs: 1, epoch: 2 as never') }, 'definition/invalid', ['training.epoch', 'epochs']],
      ['that weakens the environment\'s policy', { 'a.model.ts': tinyModel('weaker', { rest: 'approval: { automatic: true, deadline: \'90d\' },' }) }, 'definition/weakens-policy', ['approval.automatic', 'approval.deadline']],
      ['that is not there', { 'README.md': 'nothing' }, 'definition/missing', ['definition']],
      ['whose model belongs to another repository', { 'a.model.ts': tinyModel(MODEL) }, 'definition/invalid', ['name', MODEL]],
      ['whose own tests fail', { 'a.model.ts': tinyModel('tested'), 'a.test.ts': 'import { test } from \'node:test\';\ntest(\'it holds\', () => { throw new Error(\'it does not\'); });\n' }, 'repository/tests-failed', ['it does not']],
    ] as const;
    const commits: string[] = [];
    beforeAll(async () => {
      for (const [, files] of cases) commits.push(await definitions.commit(files));
      await Promise.all(commits.map((commit) => definitions.tell(commit)));
    });

    test.each(cases.map(([what, , code, said], index) => ({ what, code, said, index })))('one $what is refused: $code', { timeout: 240_000 }, async ({ code, said, index }) => {
      const intake = await definitions.intake(commits[index] ?? '');
      expect(intake).toMatchObject({ status: 'refused', runs: [], error: { code } });
      expect(intake.error?.next).not.toBe('');
      for (const part of said) expect(intake.error?.message).toContain(part);
    });

    test('a commit that does not exist is refused, and looked for again when it is told of again', { timeout: 240_000 }, async () => {
      const commit = 'c0ffee'.repeat(7).slice(0, 40);
      await definitions.tell(commit);
      expect(await definitions.intake(commit)).toMatchObject({ status: 'refused', error: { code: 'repository/commit-missing' } });
    });

    test('no refused definition left a model behind', async () => {
      expect((await home.stores.models.list()).map(({ name }) => name)).not.toEqual(expect.arrayContaining(['wrong', 'weaker', 'tested']));
    });
  });

  describe('hooks', () => {
    const push = (commit: string) => JSON.stringify({ ref: 'refs/heads/main', after: commit });
    async function post(repository: string, body: string, signature: string, delivery: string = randomUUID()): Promise<{ status: number; body: Record<string, unknown> }> {
      const response = await fetch(`${home.config.gateway.url}/api/v1/hooks/git?repository=${repository}`, {
        method: 'POST', body, headers: { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': delivery, 'x-hub-signature-256': signature },
      });
      return { status: response.status, body: await response.json() as Record<string, unknown> };
    }
    const sign = (secret: string, body: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

    test('a push is taken in once; a replayed, a forged and an unknown one are not', { timeout: 240_000 }, async () => {
      const secret = (await readFile(join(home.config.secretsDir, 'hook-definitions'), 'utf8')).trim();
      const body = push(await definitions.commit({ 'README.md': 'still nothing' }));
      const delivery = randomUUID();
      expect(await post('definitions', body, sign(secret, body), delivery)).toMatchObject({ status: 202, body: { repository: 'definitions', branch: 'main' } });
      expect(await post('definitions', body, sign(secret, body), delivery)).toMatchObject({ status: 200, body: { repeated: true } });
      expect(await post('definitions', body, sign('guessed', body))).toMatchObject({ status: 401, body: { error: { code: 'hook/forged' } } });
      expect(await post('definitions', body.replace('main', 'mail'), sign(secret, body))).toMatchObject({ status: 401, body: { error: { code: 'hook/forged' } } });
      expect(await post('elsewhere', body, sign(secret, body))).toMatchObject({ status: 401, body: { error: { code: 'hook/forged' } } });
      const { refusedHooks } = await contextOf(home).api.get(Repositories, '/repositories');
      expect(refusedHooks.map(({ reason, count }) => [reason, count])).toEqual(expect.arrayContaining([['bad-signature', 2], ['unknown-repository', 1]]));
    });
  });

  describe('data', () => {
    test.each([
      ['unreadable', 'unreadable'],
      ['relabelled', 'the-same.png'],
      ['empty', 'no training row of class truck'],
    ])('pictures that are %s block the run, and the report names them', { timeout: 300_000 }, async (model, named) => {
      const { run, explanation } = await settled(home, await damaged.run(damagedCommit, model));
      expect(run).toMatchObject({ status: 'failed', version: null, error: { code: 'data/blocked' } });
      expect(explanation.stands).toContain(named);
      expect(explanation.next).toContain('data report');
      expect(await home.stores.versions.list(model)).toEqual([]);
    });

    test('a loss that is no number ends the training', { timeout: 300_000 }, async () => {
      const { run, explanation } = await settled(home, await damaged.run(damagedCommit, 'diverges'));
      expect(run).toMatchObject({ status: 'failed', version: null, error: { code: 'training/not-finite' } });
      expect(explanation.next).toContain('learning rate');
    });
  });

  describe('decisions', () => {
    test('who may not decide, or does not sign, is refused, and the ledger says so', { timeout: 300_000 }, async () => {
      await untilWaiting(home, FIRST);
      const evidence = await evidenceOf(home, FIRST);
      const right = await signed(home, { run: FIRST, evidence, approver: ADA });
      const { signature: _none, ...unsigned } = right;
      expect(await decide(home, FIRST, unsigned)).toBe('decision/unsigned');
      expect(await decide(home, FIRST, { ...right, verdict: 'reject' })).toBe('decision/unsigned');
      expect(await decide(home, FIRST, await signed(home, { run: FIRST, evidence, approver: ADA, key: EVE }))).toBe('decision/unsigned');
      expect(await decide(home, FIRST, await signed(home, { run: FIRST, evidence, approver: EVE }))).toBe('decision/not-allowed');
      expect(await decide(home, FIRST, await signed(home, { run: FIRST, evidence, approver: 'mallory', key: EVE }))).toBe('decision/unknown-approver');
      expect(await decide(home, FIRST, await signed(home, { run: FIRST, evidence: 'f'.repeat(64), approver: ADA }))).toBe('decision/stale-evidence');
      expect(await decide(home, FIRST, { verdict: 'approve' })).toBe('decision/malformed');
      await signalDecision(home, MODEL, FIRST, 'approve it!', { ...unsigned, comment: 'by signal' }, null, { ...right, nonce: 'x'.repeat(100_000) });

      const codes = async () => (await ledger('decision-refused')).map(({ subject }) => String(subject['code'] ?? subject['refusal'])).sort();
      await eventually(async () => expect(await codes()).toEqual([
        'decision/malformed', 'decision/malformed', 'decision/not-allowed', 'decision/stale-evidence', 'decision/unknown-approver', 'decision/unsigned', 'decision/unsigned', 'decision/unsigned', 'decision/unsigned',
      ]));
      expect((await viewOf(home, FIRST)).run.status).toBe('waiting');
      expect((await home.stores.runs.events(FIRST, 0, 1_000)).filter(({ kind }) => kind === 'refusal').length).toBeGreaterThanOrEqual(8);
    });

    test('of two that are sent at once the first counts', { timeout: 300_000 }, async () => {
      // The second candidate is made to wait beside the first: both want production.
      await contextOf(home).api.post(Anything, `/models/${MODEL}/retrain`, { reason: 'a second candidate', force: true });
      await eventually(async () => expect(await home.stores.runs.get(SECOND)).not.toBeNull());
      await untilWaiting(home, SECOND);

      const evidence = await evidenceOf(home, FIRST);
      const [approval, rejection] = [await signed(home, { run: FIRST, evidence, approver: ADA }), await signed(home, { run: FIRST, evidence, approver: ADA, verdict: 'reject' })];
      await signalDecision(home, MODEL, FIRST, approval, rejection, approval);
      expect((await settled(home, FIRST)).run).toMatchObject({ status: 'released', version: 1 });
      const decisions = await home.stores.decisions.list(FIRST);
      expect(decisions.filter(({ accepted }) => accepted).map(({ decision }) => decision.nonce)).toEqual([approval.nonce]);
      const second = decisions.find(({ decision }) => decision.nonce === rejection.nonce);
      expect(['decision/late', 'decision/repeated']).toContain(second?.refusal);
      expect(await decide(home, FIRST, approval)).toBe('accepted');
      expect(await decide(home, FIRST, await signed(home, { run: FIRST, evidence, approver: ADA, verdict: 'reject' }))).toBe('decision/late');
      expect((await viewOf(home, FIRST)).explanation.happened).toContain('refused');
    });

    test('a candidate that was judged against what is live no more is judged again, and asks again', { timeout: 300_000 }, async () => {
      const before = await evidenceOf(home, SECOND);
      expect(await decide(home, SECOND, await signed(home, { run: SECOND, evidence: before, approver: ADA }))).toBe('accepted');
      await eventually(async () => expect(await evidenceOf(home, SECOND)).not.toBe(before));
      await untilWaiting(home, SECOND);
      expect((await live())?.live).toBe(1);
      expect((await ledger('release-stale')).map(({ subject }) => subject['run'])).toEqual([SECOND]);

      expect(await decide(home, SECOND, await signed(home, { run: SECOND, evidence: before, approver: ADA }))).toBe('decision/stale-evidence');
      expect(await decide(home, SECOND, await signed(home, { run: SECOND, evidence: await evidenceOf(home, SECOND), approver: ADA }))).toBe('accepted');
      expect((await settled(home, SECOND)).run).toMatchObject({ status: 'released', version: 2 });
      expect((await live())?.live).toBe(2);
      expect((await home.stores.routes.history('production', MODEL)).map(({ arms }) => arms.map(({ version }) => version)).sort()).toEqual([[1], [2]]);
    });
  });

  describe('two commits within a second', () => {
    test('the newer is trained and the older is superseded: one version', { timeout: 300_000 }, async () => {
      const hasty = await createTeam(home, 'hasty');
      const older = await hasty.commit({ 'hasty.model.ts': tinyModel('hasty', { seed: 1 }) });
      const newer = await hasty.commit({ 'hasty.model.ts': tinyModel('hasty', { seed: 2 }) });
      await Promise.all([hasty.tell(older), hasty.tell(newer)]);
      const [superseded, trained] = [await settled(home, await hasty.run(older)), await untilWaiting(home, await hasty.run(newer))];
      expect(superseded.run).toMatchObject({ status: 'superseded', version: null });
      expect(trained.run).toMatchObject({ status: 'waiting', version: 1 });
      expect(superseded.explanation.stands).toContain('newer');
      expect(await home.stores.versions.list('hasty')).toHaveLength(1);
      expect((await home.stores.models.get('hasty'))?.currentCommit).toBe(newer);
    });
  });

  describe('serving', () => {
    async function infer(path: string): Promise<number> {
      const server = home.config.servers['production'];
      const token = (await readFile(join(home.config.secretsDir, 'server-token'), 'utf8')).trim();
      const response = await fetch(`${server?.url ?? ''}/v2/models/${path}/infer`, {
        method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', data: Array.from({ length: 3072 }, () => 0) }] }),
      });
      await response.body?.cancel();
      return response.status;
    }

    test('a version or a model that was never registered is not found', async () => {
      expect(await infer(`${MODEL}/versions/2`)).toBe(200);
      expect(await infer(`${MODEL}/versions/99`)).toBe(404);
      expect(await infer('nobody')).toBe(404);
    });

    testPostgresAway(() => home, { model: MODEL, seconds: 15, pictures: () => pictures });

    testScore(() => home, { model: MODEL, version: 2, pictures: () => pictures });
  });

  describe('rollback', () => {
    test('the version before is served again within seconds, and the one that was left comes back by no way but resume', { timeout: 300_000 }, async () => {
      await eventually(async () => expect((await live())?.replicas.map(({ version }) => version)).toEqual([2]));
      const began = Date.now();
      await home.world.perennial('rollback', MODEL, '--reason', 'answers are odd');
      expect((await live())?.replicas.map(({ version }) => version)).toEqual([1]);
      expect(Date.now() - began).toBeLessThan(30_000);
      await eventually(async () => expect((await home.stores.versions.get(MODEL, 2))?.status).toBe('quarantined'));

      await expect(home.world.perennial('release', `${MODEL}@2`, '--force')).rejects.toThrow('quarantined');
      const [evidence] = await home.db.query<{ digest: string }>('select digest from evidence where run = $1 order by seq desc limit 1', [SECOND]);
      const request = { v: 1, run: SECOND, version: 2, evidence: evidence?.digest, force: true, by: EVE, replyTo: '', keepWarmMs: 60_000 };
      await signalWorkflow(home, workflowId.environment(MODEL, 'production'), SIGNALS.release, [{ ...request, id: 'past-the-gateway' }]);
      await eventually(async () => expect((await ledger('release-refused')).map(({ subject }) => subject['code'])).toEqual(['release/quarantined']));
      expect((await live())?.live).toBe(1);

      await home.world.perennial('resume', `${MODEL}@2`, '--reason', 'it was the camera');
      await eventually(async () => expect((await home.stores.versions.get(MODEL, 2))?.status).toBe('approved'));
      await home.world.perennial('release', `${MODEL}@2`, '--force');
      expect((await live())?.replicas.map(({ version }) => version)).toEqual([2]);
    });

    test('the ledger is whole', async () => {
      for (const chain of ['runs', 'production']) expect(await contextOf(home).api.get(LedgerVerdict, `/ledger/${MODEL}/${chain}/verify`)).toMatchObject({ ok: true });
      expect((await ledger('rolled-back')).map(({ subject }) => [subject['from'], subject['to']])).toEqual([[2, 1]]);
    });
  });

  describe('people who try', () => {
    testTry(() => home, () => raced);
  });

  describeCancel(() => home);

  describe('packaging', () => {
    testFullDisk(() => home);
  });
});
