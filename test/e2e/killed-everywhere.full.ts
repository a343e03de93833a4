import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Anything, LedgerVerdict } from '../../cli/views.js';
import type { RunStep } from '../../contract/run.js';
import type { ProgramName } from '../../infra/supervisor/programs.js';
import { addPerson, decide, evidenceOf, signed } from './support/decisions.js';
import { atStep, eventOf } from './support/run-events.js';
import { contextOf, eventually, startHome, type RunningHome } from './support/running-home.js';
import { createTeam, layOutPictures, settled, tinyModel, untilWaiting } from './support/team.js';

const MODEL = 'tough';
const WORKERS = ['lifecycle', 'compute', 'training', 'gateway', 'server-test', 'server-production'] as const satisfies readonly ProgramName[];
const PARTS = ['postgres', 's3', 'temporal'] as const satisfies readonly ProgramName[];
const STEPS = ['snapshot', 'quick-pass', 'train', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval', 'release'] as const satisfies readonly RunStep[];

/** One run for each step; as the run enters it, all of Perennial's processes are killed at once, or every part it stands on. */
describe('any process may die at any step', () => {
  let home: RunningHome;
  let runs = 0;

  beforeAll(async () => {
    home = await startHome();
    await layOutPictures(home);
    await addPerson(home, 'ada', { approver: true });
    const team = await createTeam(home, MODEL);
    const commit = await team.commit({ 'tough.model.ts': tinyModel(MODEL) });
    await team.tell(commit);
    await team.run(commit);
    await finish(++runs);
  }, 600_000);
  afterAll(() => home.close(), 180_000);

  /** Approves the run as soon as it waits, and gives it when it is released. */
  async function finish(number: number): Promise<void> {
    const run = `${MODEL}-r${number}`;
    await eventually(async () => expect(await home.stores.runs.get(run)).not.toBeNull());
    await untilWaiting(home, run);
    await eventually(async () => {
      const answer = await decide(home, run, await signed(home, { run, evidence: await evidenceOf(home, run), approver: 'ada' }));
      expect(['accepted', 'queued', 'pending', 'decision/repeated', 'decision/late']).toContain(answer);
    });
    expect((await settled(home, run)).run).toMatchObject({ status: 'released', version: number });
  }

  test.each([
    ...STEPS.map((step) => ({ step, what: 'every process of Perennial', programs: WORKERS })),
    ...(['snapshot', 'train', 'package', 'approval', 'release'] as const).map((step) => ({ step, what: 'PostgreSQL, S3 and Temporal', programs: PARTS })),
  ])('$what at the step $step', { timeout: 900_000 }, async ({ step, programs }) => {
    const number = ++runs;
    const run = `${MODEL}-r${number}`;
    await eventually(() => contextOf(home).api.post(Anything, `/models/${MODEL}/retrain`, { reason: step, force: true, id: `retrain-${number}-${step}` }));
    const killing = eventOf(home.stores, run, step, atStep(step)).then(async () => {
      const pids = await Promise.all(programs.map(async (program) => [program, await home.kill(program)] as const));
      for (const [program, pid] of pids) await home.untilBack(program, pid);
    });
    const [killed, finished] = await Promise.allSettled([killing, finish(number)]);
    for (const one of [killed, finished]) if (one.status === 'rejected') throw one.reason;

    const versions = await home.stores.versions.list(MODEL);
    expect(versions.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: number }, (_, index) => index + 1));
    expect(versions.filter(({ status }) => status === 'live').map(({ version }) => version)).toEqual([number]);
    const mails = await home.db.query<{ n: number }>('select count(*) as n from outbox where id like \'approval/%\' group by payload->>\'subject\' having count(*) > 1');
    expect(mails).toEqual([]);
    await eventually(async () => expect((await home.world.model(MODEL)).environments.find(({ environment }) => environment === 'production')?.replicas.map(({ version }) => version)).toEqual([number]));
    for (const chain of ['runs', 'production']) expect(await contextOf(home).api.get(LedgerVerdict, `/ledger/${MODEL}/${chain}/verify`)).toMatchObject({ ok: true });
  });
});
