import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { waitForMail } from '../../cli/demo/mails.js';
import { Runs } from '../../cli/views.js';
import { ClassificationReport, RegressionReport } from '../../contract/evaluation.js';
import { exampleTablesFolder } from '../../infra/setup/example-tables.mjs';
import { homeLayout } from '../../infra/stack/home.js';
import { testExperiment } from './cases/experiment.js';
import { addPerson, evidenceOf } from './support/decisions.js';
import { releaseExample } from './support/example-team.js';
import { contextOf, startHome, type RunningHome } from './support/running-home.js';
import { createCaller, exampleRows } from './support/table-caller.js';
import type { Column, TableRow } from './support/table-caller.js';
import { untilWaiting } from './support/team.js';

const APPROVER = 'grace';
const Finding = z.object({ key: z.string(), severity: z.string(), value: z.number(), n: z.int() });
const Report = z.object({ regression: RegressionReport.optional(), classification: ClassificationReport.optional(), findings: z.array(Finding) });
const Checks = z.object({ checks: z.array(z.object({ verdict: z.string(), labels: z.int(), report: Report })) });

/** The examples of tables, from their commit to what monitoring finds in later traffic. */
describe('the examples of tables', () => {
  let home: RunningHome;
  beforeAll(async () => {
    home = await startHome();
    await addPerson(home, APPROVER, { approver: true });
  }, 240_000);
  afterAll(() => home.close(), 180_000);

  /** The newest check, asked for now. */
  async function check(model: string): Promise<z.infer<typeof Checks>['checks'][number]> {
    await home.world.logShipped('production');
    const before = (await contextOf(home).api.get(Checks, `/models/${model}/checks`)).checks.length;
    await home.world.perennial('monitor', model, '--now');
    return home.world.until(`a check of ${model}`, async () => {
      const { checks } = await contextOf(home).api.get(Checks, `/models/${model}/checks`);
      return checks.length > before && checks[0];
    });
  }

  test('housing: a number is estimated, its error grows where the model was never taught, and it is taught', { timeout: 900_000 }, async () => {
    const waiting = await releaseExample(home, 'housing', APPROVER);
    expect(waiting.evaluations.offline?.overall).toMatchObject({ task: 'regression' });
    expect(waiting.evaluations.testEnvironment).toMatchObject({ passed: true, accuracy: null });
    expect(waiting.gates.map(({ gate, verdict }) => [gate, verdict])).toEqual([['error', 'pass'], ['explained', 'pass'], ['error-later', 'inconclusive'], ['not-worse', 'pass']]);
    const mail = await waitForMail(homeLayout(home.home).mailDir, 'the evidence', ({ subject }) => subject.includes('(housing-r1)'));
    expect(mail.text).toMatch(/Unseen data: mae \d\.\d+ on \d+ rows\n {2}mae +\d\.\d+ \(95% interval \d\.\d+ to \d\.\d+\)/);

    expect(await home.world.perennial('audit', 'housing@1')).toMatch(/ of csv tables\/california_housing_reference\.csv, collected 1990-04-01 to 1990-04-01, terms: census of the United States, in the public domain\n/);

    const columns: Column[] = ['HouseAge', 'AveRooms', 'AveBedrms', 'Population', 'AveOccup', 'Latitude', 'Longitude'].map((name) => ({ name, datatype: 'FP64' }));
    const later = await exampleRows('select * from read_csv(\'california_housing_analysis.csv\')');
    const caller = await createCaller(home, 'housing');
    /** Asks, says later what was true, and gives the mean absolute error by its own count. */
    const traffic = async (rows: readonly TableRow[]): Promise<number> => {
      const asked = await caller.ask(columns, rows, { period: 'later' });
      const values = asked.output('value').map(Number);
      await caller.label(rows.map((row, index) => ({ prediction: asked.ids[index] ?? '', label: Number(row['MedInc']) })));
      return values.reduce((sum, value, index) => sum + Math.abs(value - Number(rows[index]?.['MedInc'])), 0) / values.length;
    };

    const near = await traffic(later.slice(0, 1000));
    const good = await check('housing');
    expect(good).toMatchObject({ verdict: 'ok', labels: 1000, report: { findings: [] } });
    expect(good.report.regression?.mae).toBeCloseTo(near, 9);

    const [one = {}] = later;
    await expect(caller.label([{ prediction: randomUUID(), label: 'dear' }])).rejects.toThrow(/answered 422: .*dear.* is not a finite number, as MedInc of housing has to be/);
    const scored = JSON.parse(await home.world.perennial('score', 'housing', '--input', join(exampleTablesFolder(), 'california_housing_analysis.csv'), '--wait', '--json')) as unknown;
    expect(scored).toMatchObject({ status: 'done', score: { rows: 8232 } });
    const file = join(home.home, 'district.json');
    await writeFile(file, JSON.stringify(one));
    expect(await home.world.perennial('predict', 'housing', '--row', file)).toMatch(/^PREDICTION +MEDINC\n\S+ +\d\.\d+\nby housing@1 /);

    const far = await traffic(later.slice(4200, 5200));
    expect(far).toBeGreaterThan(1.5 * near);
    const bad = await check('housing');
    expect(bad).toMatchObject({ verdict: 'findings', labels: 1000, report: { findings: [{ key: 'error-grown', severity: 'critical', n: 1000 }] } });
    expect(bad.report.regression?.mae).toBeCloseTo(far, 9);
    const alert = await waitForMail(homeLayout(home.home).mailDir, 'the alert', ({ subject }) => subject.startsWith('ALERT housing@1'));
    expect(alert.subject).toMatch(/error-grown: mae is \d\.\d+ on 1000 labels, above 1\.1 \(95% interval/);

    const second = await home.world.until('the retraining', async () => (await contextOf(home).api.get(Runs, '/runs', { model: 'housing' })).runs.find(({ reason }) => reason.kind === 'loss')?.id);
    const taught = await untilWaiting(home, second);
    const gates = new Map(taught.gates.map((gate) => [gate.gate, gate]));
    expect(gates.get('error-later')).toMatchObject({ verdict: 'pass' });
    expect(gates.get('not-worse')).toMatchObject({ verdict: 'pass', reason: expect.stringMatching(/^worst of 3 compared: \w+: \d+\.\d% (above|below) version 1 on \d+ rows \(95% interval/) as string });
    const slice = (report: typeof taught.evaluations.offline) => RegressionReport.parse(report?.slices.find(({ name }) => name === 'later')?.report).mae ?? NaN;
    expect(slice(taught.evaluations.offline)).toBeLessThan(0.8 * slice(taught.evaluations.liveOnSameRows));
    expect(await evidenceOf(home, second)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('titanic: missing values and categories are learned, later passengers are asked by raw columns', { timeout: 600_000 }, async () => {
    const waiting = await releaseExample(home, 'titanic', APPROVER);
    expect(waiting.gates.map(({ gate, verdict }) => [gate, verdict])).toEqual([['right', 'pass'], ['survivors-found', 'pass'], ['not-worse', 'pass']]);
    // The figures that its definition names to judge by.
    const mail = await waitForMail(homeLayout(home.home).mailDir, 'the evidence', ({ subject }) => subject.includes('(titanic-r1)'));
    expect(mail.text).toMatch(/Unseen data: f1 \d+\.\d% on \d+ rows/);
    expect(mail.text).toMatch(/Its answers hang on: Sex \(\+\d+\.\d points\), /);
    expect(await home.world.perennial('importance', 'titanic')).toMatch(/^titanic-r1: error of \d+\.\d% \(share of wrong answers\) on \d+ test rows.*\n\nCOLUMN +ADDS +95% INTERVAL\nSex +\+\d+\.\d points +\+\d+\.\d points to \+\d+\.\d points +█{24}\n/);

    const columns: Column[] = (['Pclass', 'Age', 'SibSp', 'Parch', 'Fare'] as const).map((name): Column => ({ name, datatype: 'FP64' })).concat((['Sex', 'Embarked'] as const).map((name): Column => ({ name, datatype: 'BYTES' })));
    const later = await exampleRows('select * from read_csv(\'titanic_analysis.csv\') passenger join read_csv(\'titanic_target.csv\') outcome using (PassengerId) order by PassengerId limit 400');
    expect(later.some((row) => row['Age'] === null)).toBe(true);
    const caller = await createCaller(home, 'titanic');
    const asked = await caller.ask(columns, later);
    const predicted = asked.output('class');
    await caller.label(later.map((row, index) => ({ prediction: asked.ids[index] ?? '', label: String(row['Survived']) })));
    const right = predicted.filter((name, index) => name === String(later[index]?.['Survived'])).length;
    const survivors = later.filter((row) => Number(row['Survived']) === 1).length;

    const { verdict, report } = await check('titanic');
    expect(verdict).toBe('ok');
    expect(report.classification).toMatchObject({ n: 400, classes: ['0', '1'], perClass: [{ support: 400 - survivors }, { support: survivors }] });
    expect(report.classification?.accuracy).toBeCloseTo(right / 400, 12);
    await expect(caller.ask(columns, [{ ...later[0], Sex: 'unknown' }])).rejects.toThrow(/422.*is a category that the model does not know. It knows: female, male/);
    await expect(caller.ask(columns, [{ ...later[0], Age: 130 }])).rejects.toThrow(/422.*guardrail\/as-expected: row 0: the row is not as it has to be: Age is between 0 and 100\./);
  });

  testExperiment(() => home);
});
