import { describe, expect, test } from 'vitest';
import { Threshold } from '../../definition/operation.js';
import { classificationReport } from '../../domain/classification.js';
import { judgeCheck } from '../../domain/monitoring.js';
import { regressionReport } from '../../domain/regression.js';

const report = classificationReport(['car', 'truck'], [[560, 440], [430, 570]]); // accuracy 0.565 on 2,000 labels
const threshold = (fields: object = {}) => Threshold.parse({ name: 'accuracy', metric: 'accuracy', below: 0.85, action: 'retrain', ...fields });
const check = (thresholds: Threshold[], labels = 2000) => judgeCheck({ report, labels, minimumLabels: 2000, thresholds });

describe('a check', () => {
  test('below its minimum of labels judges nothing', () => {
    expect(check([threshold()], 1999)).toEqual({ verdict: 'inconclusive', findings: [] });
  });

  test('finds a metric below its limit, with figures and what to do', () => {
    const { verdict, findings } = check([threshold()]);
    expect(verdict).toBe('findings');
    expect(findings).toEqual([expect.objectContaining({ key: 'accuracy', severity: 'critical', value: 0.565, n: 2000, threshold: 0.85, action: 'retrain' })]);
    expect(findings[0]?.message).toBe('accuracy: accuracy is 56.5% on 2000 labels, below 85.0% (95% interval 54.3% to 58.7%)');
  });

  test('warns where the shortfall may be chance, or the metric has no interval', () => {
    expect(check([threshold({ below: 0.57 })]).findings[0]).toMatchObject({ severity: 'warn' });
    expect(check([threshold({ metric: 'f1' })]).findings[0]).toMatchObject({ severity: 'warn', interval: null });
  });

  test('is ok at the limit itself, and with no limits', () => {
    expect(check([threshold({ below: 0.565 })])).toEqual({ verdict: 'ok', findings: [] });
    expect(check([])).toEqual({ verdict: 'ok', findings: [] });
  });

  test('judges one class by its own rows', () => {
    expect(check([threshold({ name: 'cars', class: 'car', metric: 'recall', below: 0.6 }), threshold({ name: 'trucks', class: 'truck', metric: 'recall', below: 0.5 })]).findings).toEqual([expect.objectContaining({ key: 'cars', value: 0.56, n: 1000 })]);
  });

  test('is not ok where a limit could not be judged', () => {
    expect(check([threshold({ class: 'bus', metric: 'recall' })])).toEqual({ verdict: 'inconclusive', findings: [] });
    expect(check([threshold({ class: 'bus', metric: 'recall' }), threshold()]).verdict).toBe('findings');
  });
});

describe('a check of a regression', () => {
  const actual = Array.from({ length: 2000 }, (_, row) => (row % 100) / 10);
  const live = regressionReport({ actual, predicted: actual.map((value, row) => value + (row % 3 === 0 ? 2.4 : 0.9)) }); // mae 1.4
  const ask = (fields: object, labels = 2000) => judgeCheck({ report: live, labels, minimumLabels: 2000, thresholds: [Threshold.parse({ name: 'error', action: 'retrain', ...fields })] });

  test('finds an error above its limit, critical where the whole interval is above', () => {
    const { verdict, findings } = ask({ metric: 'mae', above: 1 });
    expect(verdict).toBe('findings');
    expect(findings).toEqual([expect.objectContaining({ key: 'error', severity: 'critical', n: 2000, threshold: 1, action: 'retrain' })]);
    expect(findings[0]?.message).toMatch(/^error: mae is 1\.4 on 2000 labels, above 1 \(95% interval 1\.3\d+ to 1\.4\d+\)$/);
    expect(ask({ metric: 'mae', above: 1.395 }).findings[0]).toMatchObject({ severity: 'warn' });
    expect(ask({ metric: 'medianAbsoluteError', above: 0.5 }).findings[0]).toMatchObject({ severity: 'warn', interval: null });
  });

  test('is ok within its limits, and judges nothing below the minimum of labels', () => {
    expect(ask({ metric: 'rmse', above: 2 })).toEqual({ verdict: 'ok', findings: [] });
    expect(ask({ metric: 'r2', below: 0.5 })).toEqual({ verdict: 'ok', findings: [] });
    expect(ask({ metric: 'r2', below: 0.9 }).findings).toHaveLength(1);
    expect(ask({ metric: 'mae', above: 0 }, 1999)).toEqual({ verdict: 'inconclusive', findings: [] });
  });
});
