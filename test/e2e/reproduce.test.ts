import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Audit, LedgerVerdict } from '../../cli/views.js';
import { Reproduction } from '../../contract/reproduction.js';
import { testCompression } from './cases/compression.js';
import { testFeatures } from './cases/features.js';
import { testImport, testImportedForms } from './cases/import.js';
import { testTable } from './cases/table.js';
import { contextOf, startHome, type RunningHome } from './support/running-home.js';
import { createTeam, layOutPictures, tinyModel, untilWaiting } from './support/team.js';

const MODEL = 'again';

/** A version that was trained by one thread is built again from what is stored, weights and figures alike. */
describe('a version built again', () => {
  let home: RunningHome;
  let first: Reproduction;

  const reproduce = async () => Reproduction.parse(JSON.parse(await home.world.perennial('reproduce', `${MODEL}@1`, '--json')));

  beforeAll(async () => {
    home = await startHome();
    await layOutPictures(home);
    const team = await createTeam(home, MODEL);
    const commit = await team.commit({ 'again.model.ts': tinyModel(MODEL) });
    await team.tell(commit);
    await untilWaiting(home, await team.run(commit));
    first = await reproduce();
  }, 400_000);
  afterAll(() => home.close(), 180_000);

  test('is identical, bit for bit, and nothing was registered', async () => {
    expect(first).toMatchObject({ status: 'identical', by: 'admin', report: { verdict: 'identical', environment: [], tolerance: null, weights: { identical: true, differing: 0 } } });
    expect(first.report?.metrics.find(({ name }) => name === 'accuracy')).toMatchObject({ then: expect.any(Number) as number });
    expect(await home.stores.versions.list(MODEL)).toHaveLength(1);
    expect((await home.stores.learningCurves.get(`reproduction/${first.id}`))?.epochs).toEqual((await home.stores.learningCurves.get(`${MODEL}-r1`))?.epochs);
  });

  test('is in the audit and in the ledger', async () => {
    const { api } = contextOf(home);
    expect((await api.get(Audit, `/models/${MODEL}/versions/1/audit`)).reproductions).toMatchObject([{ id: first.id, status: 'identical' }]);
    expect((await home.stores.ledger.list(`${MODEL}/runs`)).filter(({ action }) => action === 'reproduced').map(({ subject }) => subject['verdict'])).toEqual(['identical']);
    expect(await api.get(LedgerVerdict, `/ledger/${MODEL}/runs/verify`)).toMatchObject({ ok: true });
  });

  test('names first what is another environment now', { timeout: 180_000 }, async () => {
    await home.db.query(`update versions set environment_lock = environment_lock || '{"node": "v18.0.0"}' where model = $1`, [MODEL]);
    const { report } = await reproduce();
    expect(report).toMatchObject({ verdict: 'identical', environment: [{ what: 'Node', then: 'v18.0.0', now: process.version }] });
    expect(report?.because[0]).toBe(`Node was v18.0.0, is ${process.version}`);
  });

  testCompression(() => home);
  testImport(() => home, MODEL);
  testImportedForms(() => home);
  testTable(() => home);
  testFeatures(() => home);
});
