import { describe, expect, test } from 'vitest';
import { errorChange, pairedErrors, regressionReport } from '../../domain/regression.js';
import { createSampler } from '../../domain/sampling.js';
import { studentT95 } from '../../domain/student-t.js';

const actual = [3, -0.5, 2, 7, 4.25, -2, 9.5];
const predicted = [2.5, 0, 2.1, 7.75, 4, -1, 6.25];
const live = [3.2, 0.4, 1, 7.1, 4.75, -2.2, 9];

describe('figures of a regression', () => {
  test('are those of scikit-learn 1.7 and scipy', () => {
    const report = regressionReport({ actual, predicted });
    expect(report).toMatchObject({ task: 'regression', n: 7, medianAbsoluteError: 0.5 });
    for (const [name, value] of Object.entries({ mae: 0.9071428571428571, rmse: 1.3468216553904127, mape: 0.3178197594827405, r2: 0.8695542102366538, bias: -0.2357142857142857 })) expect(report[name as 'mae']).toBeCloseTo(value, 12);
    expect(report.intervals.mae?.[0]).toBe(0);
    expect(report.intervals.mae?.[1]).toBeCloseTo(1.9015952525334074, 12);
    expect(report.intervals.rmse?.[1]).toBeCloseTo(2.3228069242596234, 12);
    expect(report.intervals.mape?.[0]).toBeCloseTo(0.0007563891888374696, 12);
    expect(report.intervals.mape?.[1]).toBeCloseTo(0.6348831297766435, 12);
  });

  test('are over the rows asked for, and null where they are not defined', () => {
    expect(regressionReport({ actual, predicted }, [0, 3])).toMatchObject({ n: 2, mae: 0.625 });
    expect(regressionReport({ actual: [], predicted: [] })).toMatchObject({ n: 0, mae: null, r2: null, intervals: {} });
    expect(regressionReport({ actual: [0, 2], predicted: [1, 2] })).toMatchObject({ mape: null, mae: 0.5 });
    expect(regressionReport({ actual: [2, 2], predicted: [1, 2] })).toMatchObject({ r2: null });
    expect(regressionReport({ actual: [2], predicted: [1] })).toMatchObject({ mae: 1, intervals: {} });
  });
});

test('quantiles of Student\'s t are scipy\'s', () => {
  const golden = [[1, 12.706204736174694], [2, 4.302652729749462], [3, 3.1824463052837078], [4, 2.7764451051977934], [5, 2.5705818356363146], [9, 2.262157162798205], [10, 2.228138851986274], [30, 2.0422724563012378], [99, 1.9842169515864174], [500, 1.9647198374673676], [999, 1.9623414611334493], [1000, 1.9623390808264083], [12345, 1.9601561676005668]] as const;
  for (const [df, value] of golden) expect(studentT95(df)).toBeCloseTo(value, 9);
  expect(() => studentT95(0)).toThrow('no degrees of freedom');
});

describe('two models on the same rows', () => {
  test('differ by the paired t interval of scipy\'s ttest_rel', () => {
    const paired = pairedErrors('overall', { actual, predicted }, live, actual.keys());
    expect(paired).toMatchObject({ slice: 'overall', n: 7 });
    expect(paired.difference).toBeCloseTo(0.42142857142857143, 12);
    expect(paired.deviation).toBeCloseTo(1.1905380936286551, 12);
    expect(paired.live).toBeCloseTo(0.4857142857142857, 12);
    const change = errorChange(paired);
    expect(change?.change).toBeCloseTo(0.8676470588235294, 12);
    expect(change?.interval?.[0]).toBeCloseTo(-0.6796355226745603 / 0.4857142857142857, 9);
    expect(change?.interval?.[1]).toBeCloseTo(1.5224926655317033 / 0.4857142857142857, 9);
    expect(errorChange({ ...paired, n: 0 })).toBeNull();
    expect(errorChange({ ...paired, difference: 1, live: 0 })?.change).toBe(1);
  });

  test('that are equally good are told apart in 5% of comparisons, half of them to the candidate\'s harm', () => {
    const sampler = createSampler(20);
    const [rounds, rows] = [4000, 120];
    let [above, apart] = [0, 0];
    for (let round = 0; round < rounds; round += 1) {
      // Errors of both share what is hard about a row; squares make them as skewed as errors are.
      const hard = Array.from({ length: rows }, () => sampler.share() ** 2);
      const errors = () => hard.map((part) => part + sampler.share() ** 2);
      const [own, before] = [errors(), errors()];
      const interval = errorChange(pairedErrors('overall', { actual: own.map(() => 0), predicted: own }, before, own.keys()))?.interval ?? [0, 0];
      if (interval[0] > 0) above += 1;
      if (interval[0] > 0 || interval[1] < 0) apart += 1;
    }
    expect(apart / rounds).toBeGreaterThan(0.04);
    expect(apart / rounds).toBeLessThan(0.06);
    expect(above / rounds).toBeLessThan(0.033);
  });
});
