import { describe, expect, it } from 'vitest';
import { compareModels, expectedRows, reportOf } from '../../activities/evaluate/evaluate-model.js';
import { sha256Hex } from '../../domain/digest.js';
import { pictureDefinition } from '../runtime/support/definitions.js';

const night = { light: 'night' };
const day = { light: 'day' };
const SLICES = [{ name: 'night', where: night }, { name: 'fog', where: { light: 'fog' } }];
const definition = { ...pictureDefinition(), evaluation: { ...pictureDefinition().evaluation, slices: SLICES } };

/** Six rows of cars (0) and trucks (1), three of them at night, and what a model said of them. */
const said = (predicted: readonly number[]) => ({
  task: 'classification' as const, classes: ['car', 'truck'], attributes: [day, day, day, night, night, night], actual: Uint16Array.of(0, 0, 1, 0, 1, 1), predicted: Uint16Array.from(predicted),
});

describe('an evaluation', () => {
  it('is reported over all rows and over each slice, one without rows too', () => {
    const report = reportOf(said([0, 1, 1, 0, 1, 0]), definition, 'd'.repeat(64));
    expect(report.overall).toMatchObject({ n: 6, accuracy: 4 / 6, confusion: [[2, 1], [1, 2]] });
    expect(report.slices).toMatchObject([{ name: 'night', report: { n: 3, accuracy: 2 / 3 } }, { name: 'fog', report: { n: 0, accuracy: null } }]);
  });

  it('is compared with another one row by row', () => {
    expect(compareModels(said([0, 1, 1, 0, 1, 0]), said([0, 0, 1, 1, 1, 0]), SLICES)).toEqual([
      { slice: 'overall', both: 3, onlyCandidate: 1, onlyLive: 1, neither: 1 },
      { slice: 'night', both: 1, onlyCandidate: 1, onlyLive: 0, neither: 1 },
      { slice: 'fog', both: 0, onlyCandidate: 0, onlyLive: 0, neither: 0 },
    ]);
    expect(() => compareModels(said([0, 1, 1, 0, 1, 0]), { ...said([]), actual: Uint16Array.of(0) }, [])).toThrow('6 rows of a classification cannot be compared with 1');
  });

  it('keeps for the test environment what was said of the rows whose keys hash lowest', () => {
    const keys = Array.from({ length: 1000 }, (_, row) => `row-${row}`);
    const probabilities = Float32Array.from({ length: 2000 }, (_, at) => at / 2048);
    const expected = expectedRows({ task: 'classification', classes: ['car', 'truck'], keys, probabilities }, 7);
    const lowest = [...keys].sort((a, b) => (sha256Hex(a) < sha256Hex(b) ? -1 : 1)).slice(0, 7);
    expect(expected.map(({ key }) => key).sort()).toEqual(lowest.sort());
    for (const { key, ...own } of expected) expect(own).toEqual({ probabilities: [Number(key.slice(4)) * 2 / 2048, (Number(key.slice(4)) * 2 + 1) / 2048] });
    expect(expectedRows({ task: 'classification', classes: ['car', 'truck'], keys: keys.slice(0, 3), probabilities }, 7)).toHaveLength(3);
  });
});
