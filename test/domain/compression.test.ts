import { describe, expect, test } from 'vitest';
import type { VariantLatency } from '../../contract/compression.js';
import { CompressionReport } from '../../contract/compression.js';
import { Compression } from '../../definition/compression.js';
import { classificationReport } from '../../domain/classification.js';
import { decideVariant } from '../../domain/compression.js';
import type { MeasuredVariant, VariantQuestion } from '../../domain/compression.js';
import { medianInterval } from '../../domain/intervals.js';
import { pairedErrors, regressionReport } from '../../domain/regression.js';

const overall = classificationReport(['car', 'truck'], [[460, 40], [50, 450]]);
const took = (median: number, interval: [number, number] | null): VariantLatency => ({ p50: 1 + median, p95: 2, batch: 3, difference: { median, interval } });
/** On 1,000 rows, of which so many are right with only one of the two. */
const paired = (won: number, lost: number, slice = 'overall', n = 1000) => ({ slice, both: n - won - lost - 50, onlyCandidate: won, onlyLive: lost, neither: 50 });
const variant = (name: string, bytes: number, fields: Partial<MeasuredVariant> = {}): MeasuredVariant => ({ name, how: 'a test', bytes, overall, paired: [paired(0, 0)], gates: [], latencyMs: took(0, [-0.1, 0.1]), ...fields });
const full = variant('full', 1000);
const decide = (variants: VariantQuestion['variants'], compression: object = {}) => CompressionReport.parse(decideVariant({
  compression: Compression.parse({ variants: ['uint8'], allow: { lost: 0.01 }, ...compression }), full, variants, batchRows: 32,
}));
const verdicts = (report: CompressionReport) => report.variants.map(({ verdict }) => verdict);

describe('the choice of a variant', () => {
  test('is the smallest that is shown to lose no more than is allowed', () => {
    const report = decide([variant('float16', 500), variant('uint8', 250, { paired: [paired(2, 3)] }), variant('half', 100, { paired: [paired(5, 60)] })]);
    expect(report).toMatchObject({ chosen: 'uint8', because: expect.stringContaining('250 bytes instead of 1.0 kB') as string });
    expect(verdicts(report)).toEqual(['pass', 'pass', 'pass', 'fail']);
    expect(report.variants[3]?.reason).toMatch(/^5\.5 points of accuracy lost .* more than 1\.0 points, and not by chance$/);
  });

  test('leaves the full network where so few rows do not tell', () => {
    const report = decide([variant('uint8', 250, { paired: [paired(0, 0, 'overall', 100)] })]);
    expect(report).toMatchObject({ chosen: 'full', because: expect.stringContaining('the full network stays') as string });
    expect(report.variants[1]).toMatchObject({ verdict: 'inconclusive', lost: { value: 0 }, reason: expect.stringContaining('100 rows do not show that no more than 1.0 points is lost') as string });
  });

  test('leaves the full network where no variant is smaller', () => {
    expect(decide([variant('uint8', 1000)])).toMatchObject({ chosen: 'full', because: expect.stringContaining('is smaller') as string });
  });

  test('does not pay for the whole with one slice, nor break a gate', () => {
    const report = decide([
      variant('uint8', 250, { paired: [paired(3, 3), paired(1, 30, 'night', 200)] }),
      variant('float16', 500, { gates: [{ gate: 'f1', description: '', value: 0.89, n: 1000, threshold: 0.9, verdict: 'fail', reason: 'f1 is 89.0%, below 90.0%' }] }),
      variant('few', 300, { paired: [paired(3, 3), paired(0, 9, 'night', 99)] }),
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
    const of = (name: string, predicted: Float64Array): MeasuredVariant => variant(name, 500, { overall: regressionReport({ actual, predicted }, actual.keys()), paired: [pairedErrors('overall', { actual, predicted }, said, actual.keys())] });
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
