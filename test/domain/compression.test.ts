import { describe, expect, test } from 'vitest';
import type { VariantLatency } from '../../contract/compression.js';
import { CompressionReport } from '../../contract/compression.js';
import { Compression } from '../../definition/compression.js';
import { METRICS_OF } from '../../definition/evaluation.js';
import type { AnyMetric } from '../../definition/evaluation.js';
import { measure } from '../../domain/measure.js';
import { Prng } from '../../runtime/prng.js';
import { classificationReport } from '../../domain/classification.js';
import { decideVariant } from '../../domain/compression.js';
import type { MeasuredVariant, SliceLoss, VariantQuestion } from '../../domain/compression.js';
import { medianInterval, pairedDifference } from '../../domain/intervals.js';
import { pairedLoss } from '../../domain/paired-loss.js';
import type { Answers, PairedLoss } from '../../domain/paired-loss.js';
import { regressionReport } from '../../domain/regression.js';

const overall = classificationReport(['car', 'truck'], [[460, 40], [50, 450]]);
const required = (loss: PairedLoss | null): PairedLoss => { if (!loss) throw new Error('it is defined on these rows'); return loss; };
const took = (median: number, interval: [number, number] | null): VariantLatency => ({ p50: 1 + median, p95: 2, batch: 3, difference: { median, interval } });
/** On 1,000 rows, of which so many are right with only one of the two. */
const lossOf = (won: number, lost: number, slice = 'overall', n = 1000, metric: AnyMetric = 'accuracy'): SliceLoss => {
  const answers = Array.from({ length: n }, (_, row) => ({ actual: row % 2, full: row < won || row >= n - 50 ? 1 - (row % 2) : row % 2, variant: (row >= won && row < won + lost) || row >= n - 50 ? 1 - (row % 2) : row % 2 }));
  const found = pairedLoss(metric, { actual: answers.map(({ actual }) => actual), full: answers.map((row) => row.full), variant: answers.map((row) => row.variant) }, 2);
  if (!found) throw new Error('there are rows');
  return { slice, ...found };
};
const variant = (name: string, bytes: number, fields: Partial<MeasuredVariant> = {}): MeasuredVariant => ({ name, how: 'a test', bytes, overall, losses: [lossOf(0, 0)], gates: [], latencyMs: took(0, [-0.1, 0.1]), ...fields });
const full = variant('full', 1000);
const decide = (variants: VariantQuestion['variants'], compression: object = {}) => CompressionReport.parse(decideVariant({
  compression: Compression.parse({ variants: ['uint8'], allow: { lost: 0.01 }, ...compression }), full, variants, batchRows: 32,
}));
const verdicts = (report: CompressionReport) => report.variants.map(({ verdict }) => verdict);

describe('the choice of a variant', () => {
  test('is the smallest that is shown to lose no more than is allowed', () => {
    const report = decide([variant('float16', 500), variant('uint8', 250, { losses: [lossOf(2, 3)] }), variant('half', 100, { losses: [lossOf(5, 60)] })]);
    expect(report).toMatchObject({ chosen: 'uint8', because: expect.stringContaining('250 bytes instead of 1.0 kB') as string });
    expect(verdicts(report)).toEqual(['pass', 'pass', 'pass', 'fail']);
    expect(report.variants[3]?.reason).toMatch(/^5\.5 points of accuracy lost .* more than 1\.0 points, and not by chance$/);
  });

  test('leaves the full network where so few rows do not tell', () => {
    const report = decide([variant('uint8', 250, { losses: [lossOf(0, 0, 'overall', 100)] })]);
    expect(report).toMatchObject({ chosen: 'full', because: expect.stringContaining('the full network stays') as string });
    expect(report.variants[1]).toMatchObject({ verdict: 'inconclusive', lost: { value: 0 }, reason: expect.stringContaining('100 rows do not show that no more than 1.0 points is lost') as string });
  });

  test('leaves the full network where no variant is smaller', () => {
    expect(decide([variant('uint8', 1000)])).toMatchObject({ chosen: 'full', because: expect.stringContaining('is smaller') as string });
  });

  test('does not pay for the whole with one slice, nor break a gate', () => {
    const report = decide([
      variant('uint8', 250, { losses: [lossOf(3, 3), lossOf(1, 30, 'night', 200)] }),
      variant('float16', 500, { gates: [{ gate: 'f1', description: '', value: 0.89, n: 1000, threshold: 0.9, verdict: 'fail', reason: 'f1 is 89.0%, below 90.0%' }] }),
      variant('few', 300, { losses: [lossOf(3, 3), lossOf(0, 9, 'night', 99)] }),
    ]);
    expect(report.variants.map(({ reason }) => reason)).toEqual(['as it was trained', expect.stringMatching(/^slice night: 14\.5 points/), 'the gate f1 would fail: f1 is 89.0%, below 90.0%', expect.stringMatching(/^0\.0 points/)]);
    expect(report.chosen).toBe('few');
  });

  test('of the fastest takes none that is faster by chance, or by next to nothing', () => {
    const prefer = { prefer: 'latency' };
    for (const interval of [[-0.2, 0.01], [-0.2, -0.04]] as const) expect(decide([variant('uint8', 250, { latencyMs: took(-0.1, [...interval]) })], prefer)).toMatchObject({ chosen: 'full', because: expect.stringContaining('faster by 5% and more than chance') as string });
    expect(decide([variant('uint8', 250, { latencyMs: took(-0.2, [-0.3, -0.1]) }), variant('small', 900, { latencyMs: took(-0.5, [-0.6, -0.4]) })], prefer)).toMatchObject({ chosen: 'small', because: expect.stringContaining('0.500 ms a row instead of 1.000 ms') as string });
  });

  test('of a regression goes by the mean absolute error, as a share of it', () => {
    const [actual, said, nearly, worse] = [0, 1, 1.001, 1.5].map((shift) => Float64Array.from({ length: 400 }, (_, row) => row + shift * (1 + (row % 7) / 10)));
    if (!actual || !said || !nearly || !worse) throw new Error('four lists were made');
    const of = (name: string, predicted: Float64Array): MeasuredVariant => variant(name, 500, { overall: regressionReport({ actual, predicted }, actual.keys()), losses: [{ slice: 'overall', ...required(pairedLoss('mae', { actual: [...actual], full: [...said], variant: [...predicted] }, 0)) }] });
    const report = decide([of('float16', nearly), of('uint8', worse)], { allow: { metric: 'mae', lost: 0.01 } });
    expect(verdicts(report)).toEqual(['pass', 'pass', 'fail']);
    expect(report.variants[1]?.reason).toMatch(/^mean absolute error 0\.1% larger/);
    expect(report.chosen).toBe('float16');
  });

  test('tells of one that could not be made, and goes on without', () => {
    const report = decide([{ name: 'uint8', how: 'a test', error: 'out of memory' }, variant('float16', 500)]);
    expect(report).toMatchObject({ chosen: 'float16', variants: [{}, { bytes: null, verdict: 'fail', reason: 'could not be made: out of memory' }, {}] });
  });
});

test('the interval of a median is that of its order statistics', () => {
  expect(medianInterval([3, 1, 2])).toBeNull();
  expect(medianInterval(Array.from({ length: 100 }, (_, index) => index + 1))).toEqual([40, 61]); // as tabulated for n = 100
});

describe('what is lost of a metric', () => {
  const prng = Prng.of('losses');
  /** A variant that errs a little more often than the full network, of three classes of which one is rare. */
  const classesOf = (rows: number): Answers => {
    const actual = Array.from({ length: rows }, () => (prng.float() < 0.1 ? 2 : prng.float() < 0.5 ? 0 : 1));
    const full = actual.map((truth) => (prng.float() < 0.15 ? Math.floor(prng.float() * 3) : truth));
    return { actual, full, variant: full.map((said) => (prng.float() < 0.05 ? Math.floor(prng.float() * 3) : said)) };
  };
  /** A variant whose errors are a little larger. */
  const valuesOf = (rows: number): Answers => {
    const noise = () => prng.float() + prng.float() + prng.float() - 1.5;
    const actual = Array.from({ length: rows }, () => 5 + 10 * prng.float());
    const full = actual.map((truth) => truth + noise());
    return { actual, full, variant: full.map((said) => said + 0.3 * noise()) };
  };
  const figureOf = (metric: AnyMetric, { actual }: Answers, predicted: readonly number[]): number => {
    const report = (METRICS_OF.regression as readonly AnyMetric[]).includes(metric) ? regressionReport({ actual, predicted }) : classificationReport(['0', '1', '2'], actual.map((truth, row) => ({ actual: String(truth), predicted: String(predicted[row]) })));
    return measure(report, metric).value ?? NaN;
  };
  const lossBetween = (metric: AnyMetric, answers: Answers) => {
    const [full, variant] = [figureOf(metric, answers, answers.full), figureOf(metric, answers, answers.variant)];
    return ['accuracy', 'precision', 'recall', 'f1', 'r2'].includes(metric) ? full - variant : variant / full - 1;
  };

  test.each([...METRICS_OF.classification, ...METRICS_OF.regression])('%s: the difference of the figures, and of 100 samples the interval holds the true one in about 95', (metric) => {
    const make = (METRICS_OF.regression as readonly AnyMetric[]).includes(metric) ? valuesOf : classesOf;
    const truth = lossBetween(metric, make(40_000));
    let covered = 0;
    const [values, halves]: [number[], number[]] = [[], []];
    for (let sample = 0; sample < 100; sample += 1) {
      const answers = make(400);
      const { value, interval } = required(pairedLoss(metric, answers, 3));
      expect(value).toBeCloseTo(lossBetween(metric, answers), 10);
      if (interval && interval[0] <= truth && truth <= interval[1]) covered += 1;
      values.push(value);
      halves.push(interval ? (interval[1] - interval[0]) / 2 : NaN);
    }
    expect(covered).toBeGreaterThanOrEqual(88);
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    const half = mean(halves) / Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    expect(half).toBeGreaterThan(1.6);
    expect(half).toBeLessThan(3.2); // 1.96 standard deviations, and what is added for few rows of a class
  });

  test('of accuracy has the interval of a paired difference of shares', () => {
    const { value, interval } = lossOf(5, 60);
    const found = pairedDifference({ both: 885, onlyCandidate: 5, onlyLive: 60, neither: 50 });
    expect([value, ...interval ?? []]).toEqual([0 - (found?.difference ?? 0), 0 - (found?.interval[1] ?? 0), 0 - (found?.interval[0] ?? 0)].map((number) => expect.closeTo(number, 12) as number));
  });

  test('of a macro average is not known from few rows of a class, even where nothing differs', () => {
    for (const metric of ['precision', 'recall', 'f1'] as const) expect(lossOf(0, 0, 'overall', 100, metric).interval?.[1]).toBeGreaterThan(0.02);
    expect(lossOf(0, 0, 'overall', 2000, 'f1').interval?.[1]).toBeLessThan(0.003);
  });

  test('is not told where the metric is not defined', () => {
    expect(pairedLoss('mape', { actual: [0, 1], full: [1, 1], variant: [1, 1] }, 0)).toBeNull();
    expect(pairedLoss('r2', { actual: [1, 1], full: [1, 2], variant: [1, 1] }, 0)).toBeNull();
    expect(decide([variant('uint8', 250, { losses: [] })], { allow: { metric: 'mape', lost: 0.1 } }).variants[1]).toMatchObject({ verdict: 'inconclusive', reason: 'mape is not defined on the test rows' });
  });

  test('is told in the metric\'s own words', () => {
    expect(decide([variant('uint8', 250, { losses: [lossOf(2, 2, 'overall', 2000, 'f1')] })], { allow: { metric: 'f1', lost: 0.01 } })).toMatchObject({ chosen: 'uint8', metric: 'f1', variants: [{}, { reason: expect.stringMatching(/^0\.0 points of F1 lost / ) as string }] });
  });
});
