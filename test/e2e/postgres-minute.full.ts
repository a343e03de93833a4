import { afterAll, beforeAll, describe, expect } from 'vitest';
import { testPostgresAway } from './cases/postgres-away.js';
import { addPerson, decide, evidenceOf, signed } from './support/decisions.js';
import { startHome, type RunningHome } from './support/running-home.js';
import { createTeam, layOutPictures, settled, tinyModel, untilWaiting } from './support/team.js';

const MODEL = 'steady';

/** The same as in bad-input.test.ts, for a whole minute: longer than every lease, time limit and first retry. */
describe('PostgreSQL away for a minute', () => {
  let home: RunningHome;
  let pictures: string;

  beforeAll(async () => {
    home = await startHome();
    pictures = await layOutPictures(home);
    await addPerson(home, 'ada', { approver: true });
    const team = await createTeam(home, MODEL);
    const commit = await team.commit({ 'steady.model.ts': tinyModel(MODEL) });
    await team.tell(commit);
    const run = await team.run(commit);
    await untilWaiting(home, run);
    expect(await decide(home, run, await signed(home, { run, evidence: await evidenceOf(home, run), approver: 'ada' }))).toBe('accepted');
    expect((await settled(home, run)).run.status).toBe('released');
  }, 300_000);
  afterAll(() => home.close(), 180_000);

  testPostgresAway(() => home, { model: MODEL, seconds: 60, pictures: () => pictures });
});
