import { describe, expect, test } from 'vitest';
import { GateResult } from '../../contract/evaluation.js';
import type { PairedCounts } from '../../contract/evaluation.js';
import { Gate } from '../../definition/evaluation.js';
import { classificationReport } from '../../domain/classification.js';
import { decideCandidate, judgeGates } from '../../domain/gates.js';
import type { GateQuestion } from '../../domain/gates.js';
import { pairedErrors, regressionReport } from '../../domain/regression.js';
import { measure } from '../../domain/measure.js';
import { createSampler } from '../../domain/sampling.js';

const CLASSES = ['car', 'truck'];
const overall = classificationReport(CLASSES, [[920, 80], [60, 940]]); // accuracy 0.93
const night = classificationReport(CLASSES, [[130, 70], [50, 150]]); // accuracy 0.70
const empty = classificationReport(CLASSES, []);
const atLeast = (fields: object) => Gate.parse({ kind: 'at-least', name: 'floor', metric: 'accuracy', threshold: 0.9, ...fields });
const notWorse = (fields: object = {}) => Gate.parse({ kind: 'not-worse-than-live', name: 'no-step-back', ...fields });

function judge(gate: Gate, change: Partial<GateQuestion> = {}): GateResult {
  const [result] = judgeGates({ gates: [gate], overall, slices: [{ name: 'night', report: night }], paired: [], liveVersion: null, ...change });
  return GateResult.parse(result);
}

describe('at-least', () => {
  test.each<[string, object, GateResult['verdict'], number | null, number]>([
    ['passes at the threshold itself', { threshold: 0.93 }, 'pass', 0.93, 2000],
    ['fails just below it', { threshold: 0.9301 }, 'fail', 0.93, 2000],
    ['judges its slice', { slice: 'night', threshold: 0.9 }, 'fail', 0.7, 400],
    ['judges a class by the rows it has', { class: 'car', metric: 'recall', threshold: 0.92 }, 'pass', 0.92, 1000],
    ['judges a class\'s precision by the rows predicted as it', { class: 'truck', metric: 'precision', threshold: 0.93 }, 'fail', 940 / 1020, 1020],
    ['is inconclusive below its minimum of rows, whatever the value', { slice: 'night', minimumRows: 401, threshold: 0 }, 'inconclusive', 0.7, 400],
    ['is inconclusive on a slice that is not there', { slice: 'rain' }, 'inconclusive', null, 0],
    ['is inconclusive on a class that is not there', { class: 'bus', metric: 'recall' }, 'inconclusive', null, 0],
  ])('%s', (_what, fields, verdict, value, n) => {
    expect(judge(atLeast(fields))).toMatchObject({ gate: 'floor', verdict, value, n });
  });

  test('says that a slice has no rows yet', () => {
    expect(judge(atLeast({ slice: 'night' }), { slices: [{ name: 'night', report: empty }] })).toMatchObject({ verdict: 'inconclusive', n: 0, value: null, reason: 'no rows of this slice yet' });
  });

  test('says what it measured and what it asks for', () => {
    expect(judge(atLeast({ slice: 'night' }))).toMatchObject({ description: 'accuracy on night at least 90.0%', reason: 'accuracy on night is 70.0%, below 90.0%', threshold: 0.9 });
  });

  test('gives an interval where the metric is a share of rows, none for averages', () => {
    const interval = judge(atLeast({})).interval ?? [1, 0];
    expect(interval[0]).toBeLessThan(0.93);
    expect(interval[1]).toBeGreaterThan(0.93);
    expect(judge(atLeast({ metric: 'f1' })).interval).toBeUndefined();
  });

  test('every metric of a class agrees with the report', () => {
    for (const [index, name] of CLASSES.entries()) {
      for (const metric of ['precision', 'recall', 'f1'] as const) expect(measure(overall, metric, name).value).toBe(overall.perClass[index]?.[metric]);
    }
  });
});

describe('not-worse-than-live', () => {
  const counts = (slice: string, onlyCandidate: number, onlyLive: number, n: number): PairedCounts => ({ slice, both: n - onlyCandidate - onlyLive, onlyCandidate, onlyLive, neither: 0 });
  const against = (...paired: PairedCounts[]) => judge(notWorse(), { paired, liveVersion: 2 });

  test('passes when nothing is live, and says why', () => {
    expect(judge(notWorse())).toMatchObject({ verdict: 'pass', n: 0, value: null, reason: 'nothing is live yet to compare with' });
  });

  test('passes within the margin on every slice, and reports the worst', () => {
    expect(against(counts('overall', 50, 40, 2000), counts('night', 12, 20, 400))).toMatchObject({ verdict: 'pass', value: -0.02, n: 400, threshold: -0.02, reason: expect.stringContaining('night') as string });
  });

  test('fails when one slice is clearly worse, however good the whole is', () => {
    const result = against(counts('overall', 200, 20, 2000), counts('night', 5, 60, 400));
    expect(result).toMatchObject({ verdict: 'fail', value: -0.1375, n: 400 });
    expect(result.reason).toMatch(/^night: 13\.8 points below version 2 on 400 rows/);
    expect(result.interval?.[1]).toBeLessThan(0);
  });

  test('is inconclusive when a slice is worse, but by what may be chance', () => {
    const result = against(counts('overall', 50, 40, 2000), counts('night', 20, 32, 400));
    expect(result).toMatchObject({ verdict: 'inconclusive', value: -0.03, reason: expect.stringContaining('chance') as string });
    expect(result.interval?.[1]).toBeGreaterThan(0);
  });

  test('a slice that fails speaks before one that is worse by chance', () => {
    expect(judge(notWorse(), { liveVersion: 2, slices: [{ name: 'night', report: night }, { name: 'rain', report: night }], paired: [counts('overall', 5, 5, 2000), counts('rain', 20, 32, 120), counts('night', 2, 40, 400)] }))
      .toMatchObject({ verdict: 'fail', value: -0.095 });
  });

  test('leaves out slices with fewer than its rows', () => {
    expect(judge(notWorse({ minimumRows: 500 }), { liveVersion: 2, paired: [counts('overall', 5, 5, 2000), counts('night', 0, 100, 400)] })).toMatchObject({ verdict: 'pass', n: 2000 });
    expect(judge(notWorse({ minimumRows: 5000 }), { liveVersion: 2, paired: [counts('overall', 5, 5, 2000)] })).toMatchObject({ verdict: 'inconclusive', n: 0 });
  });

  test('does not pass when a slice has the rows but was not compared', () => {
    expect(against(counts('overall', 5, 5, 2000))).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining('night') as string });
    expect(against(counts('night', 5, 5, 400))).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining('overall') as string });
  });

  test('fails an equally good candidate in fewer than 3 of 100 comparisons', () => {
    const sampler = createSampler(5);
    let failed = 0;
    for (let turn = 0; turn < 2000; turn += 1) {
      const drawn = { slice: 'overall', both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 };
      for (let row = 0; row < 200; row += 1) { const share = sampler.share(); drawn[share < 0.06 ? 'onlyCandidate' : share < 0.12 ? 'onlyLive' : 'both'] += 1; }
      if (judge(notWorse(), { liveVersion: 1, slices: [], overall: night, paired: [drawn] }).verdict === 'fail') failed += 1;
    }
    expect(failed / 2000).toBeLessThan(0.03);
  });
});

describe('a candidate', () => {
  test.each<[GateResult['verdict'][], GateResult['verdict']]>([
    [['pass', 'pass'], 'pass'], [['pass', 'inconclusive'], 'inconclusive'], [['inconclusive', 'fail', 'pass'], 'fail'], [[], 'inconclusive'],
  ])('whose gates are %j is %s', (verdicts, expected) => {
    expect(decideCandidate(verdicts.map((verdict) => ({ verdict })))).toBe(expected);
  });

  test('every gate gives one result, in order', () => {
    const gates = [atLeast({ name: 'a' }), notWorse({ name: 'b' }), atLeast({ name: 'c', slice: 'night' })];
    expect(judgeGates({ gates, overall, slices: [], paired: [], liveVersion: null }).map(({ gate }) => gate)).toEqual(['a', 'b', 'c']);
  });
});

describe('a gate on a frozen test set', () => {
  const gate = atLeast({ frozen: 'q3', slice: 'night' });

  test('is judged on its rows, and says so', () => {
    const frozen = [{ name: 'q3', overall: night, slices: [{ name: 'night', report: overall }], paired: [] }];
    expect(judge(gate, { frozen })).toEqual({ ...judge(atLeast({}), {}), description: expect.stringMatching(/on night at least .*, on the frozen test set q3$/) as unknown, reason: expect.stringMatching(/^frozen test set q3: accuracy on night/) as unknown });
    expect(judge(atLeast({ frozen: 'q3' }), { frozen }).n).toBe(night.n);
    const paired = [{ slice: 'overall', both: 500, onlyCandidate: 0, onlyLive: 400, neither: 0 }];
    expect(judge(notWorse({ frozen: 'q3' }), { frozen: [{ name: 'q3', overall, slices: [], paired }], liveVersion: 3 }).verdict).toBe('fail');
  });

  test('is inconclusive where the set was not measured', () => {
    expect(judge(gate)).toMatchObject({ verdict: 'inconclusive', n: 0, value: null, reason: 'the frozen test set q3 was not measured' });
  });
});

describe('gates of a regression', () => {
  const actual = Array.from({ length: 400 }, (_, row) => row / 100);
  /** Predictions that are off by `error`, upwards and downwards in turn. */
  const off = (error: number) => actual.map((value, row) => value + (row % 2 === 0 ? error : -error));
  const report = regressionReport({ actual, predicted: off(0.5) });
  const atMost = (fields: object = {}) => Gate.parse({ kind: 'at-most', name: 'error', metric: 'mae', threshold: 0.6, ...fields });
  const judgeValues = (gate: Gate, change: Partial<GateQuestion> = {}) => judge(gate, { overall: report, slices: [], ...change });

  test('an error has an upper limit', () => {
    expect(judgeValues(atMost())).toMatchObject({ verdict: 'pass', n: 400, description: 'mae at most 0.6', reason: 'mae is 0.5, at most 0.6', threshold: 0.6 });
    expect(judgeValues(atMost({ metric: 'rmse', threshold: 0.4999 }))).toMatchObject({ verdict: 'fail', reason: 'rmse is 0.5, above 0.4999' });
    expect(judgeValues(atMost({ minimumRows: 401 }))).toMatchObject({ verdict: 'inconclusive' });
    expect(judgeValues(atMost({ metric: 'mape' }))).toMatchObject({ verdict: 'inconclusive', value: null, reason: 'mape is not defined on these rows' });
    expect(judgeValues(atMost({ slice: 'coast' }), { slices: [{ name: 'coast', report: regressionReport({ actual: [], predicted: [] }) }] })).toMatchObject({ verdict: 'inconclusive', reason: 'no rows of this slice yet' });
  });

  test('the coefficient of determination has a lower one', () => {
    expect(judgeValues(atLeast({ metric: 'r2', threshold: 0.7 }))).toMatchObject({ verdict: 'pass', description: 'r2 at least 0.700' });
    expect(judgeValues(atLeast({ metric: 'r2', threshold: 0.9 }))).toMatchObject({ verdict: 'fail' });
  });

  const compared = (candidate: number[], live: number[], fields: object = {}) => judgeValues(notWorse({ metric: 'mae', ...fields }), { paired: [pairedErrors('overall', { actual, predicted: candidate }, live, actual.keys())], liveVersion: 3 });

  test('a larger error than the live version\'s fails where it is not chance', () => {
    const noisy = (error: number) => off(error).map((value, row) => value + ((row * 7919) % 400) / 4000);
    expect(compared(noisy(0.56), noisy(0.5))).toMatchObject({ verdict: 'fail', threshold: 0.02, description: expect.stringMatching(/error at most 2\.0% above/) as string, reason: expect.stringMatching(/^overall: 1\d\.\d% above version 3 on 400 rows \(95% interval .*\), more than 2\.0% above and not by chance$/) as string });
    expect(compared(noisy(0.505), noisy(0.5))).toMatchObject({ verdict: 'pass' });
    expect(compared(noisy(0.4), noisy(0.5)).reason).toMatch(/% below version 3/);
  });

  test('and is inconclusive where it may be chance, or where rows were too few', () => {
    const one = actual.map((value, row) => value + (row === 7 ? 40 : 0.5));
    expect(compared(one, off(0.5))).toMatchObject({ verdict: 'inconclusive', reason: expect.stringMatching(/but it may be chance$/) as string });
    expect(compared(off(0.9), off(0.5), { minimumRows: 401 })).toMatchObject({ verdict: 'inconclusive', value: null });
    expect(judgeValues(notWorse({ metric: 'mae' }))).toMatchObject({ verdict: 'pass', reason: 'nothing is live yet to compare with' });
  });
});
