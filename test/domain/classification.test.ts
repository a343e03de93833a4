import { describe, expect, test } from 'vitest';
import { ClassificationReport } from '../../contract/evaluation.js';
import { classificationReport } from '../../domain/classification.js';
import { createSampler } from '../../domain/sampling.js';

/**
 * Golden values: scikit-learn 1.9.1, `precision_recall_fscore_support(..., labels=classes, zero_division=nan)` per class and
 * `average='macro', zero_division=0` over the classes that have support; `accuracy_score`.
 */
const GOLDEN = [
  {
    name: 'two classes', classes: ['car', 'truck'], confusion: [[912, 88], [71, 929]], accuracy: 0.9205,
    precision: [0.9277721261444557, 0.9134709931170109], recall: [0.912, 0.929], f1: [0.9198184568835098, 0.9211700545364403],
    macro: [0.9206215596307332, 0.9205000000000001, 0.9204942557099751],
  },
  {
    name: 'three classes', classes: ['a', 'b', 'c'], confusion: [[13, 2, 0], [4, 7, 3], [0, 1, 20]], accuracy: 0.8,
    precision: [0.7647058823529411, 0.7, 0.8695652173913043], recall: [0.8666666666666667, 0.5, 0.9523809523809523], f1: [0.8125, 0.5833333333333334, 0.9090909090909091],
    macro: [0.7780903665814152, 0.7730158730158729, 0.7683080808080809],
  },
  {
    name: 'a class without rows', classes: ['a', 'b', 'c'], confusion: [[5, 0, 2], [0, 0, 0], [1, 1, 6]], accuracy: 0.7333333333333333,
    precision: [0.8333333333333334, 0, 0.75], recall: [0.7142857142857143, null, 0.75], f1: [0.7692307692307693, 0, 0.75],
    macro: [0.7916666666666667, 0.7321428571428572, 0.7596153846153846],
  },
  {
    name: 'a class that is never predicted', classes: ['a', 'b', 'c'], confusion: [[4, 0, 1], [2, 0, 3], [0, 0, 5]], accuracy: 0.6,
    precision: [0.6666666666666666, null, 0.5555555555555556], recall: [0.8, 0, 1], f1: [0.7272727272727273, 0, 0.7142857142857143],
    macro: [0.40740740740740744, 0.6, 0.4805194805194805],
  },
] as const;

function close(actual: number | null | undefined, expected: number | null | undefined) {
  if (expected === null || expected === undefined) expect(actual).toBe(expected);
  else expect(actual).toBeCloseTo(expected, 14);
}

describe('classification report', () => {
  test.each(GOLDEN)('of $name is scikit-learn\'s', ({ classes, confusion, accuracy, precision, recall, f1, macro }) => {
    const report = classificationReport(classes, confusion);
    expect(ClassificationReport.parse(report)).toEqual(report);
    close(report.accuracy, accuracy);
    report.perClass.forEach((entry, index) => {
      close(entry.precision, precision[index]);
      close(entry.recall, recall[index]);
      close(entry.f1, f1[index]);
    });
    [report.precision, report.recall, report.f1].forEach((value, index) => close(value, macro[index]));
  });

  test('of no rows has no figures', () => {
    expect(classificationReport(['a', 'b'], [])).toMatchObject({ n: 0, accuracy: null, precision: null, recall: null, f1: null, confusion: [[0, 0], [0, 0]] });
  });

  test('of rows is the one of their confusion matrix, in any order of rows', () => {
    const classes = ['a', 'b', 'c', 'd'];
    for (let seed = 0; seed < 50; seed += 1) {
      const sampler = createSampler(seed);
      const draw = () => classes[sampler.below(classes.length)] ?? '';
      const rows = Array.from({ length: sampler.below(200) }, () => ({ actual: draw(), predicted: draw() }));
      const report = classificationReport(classes, rows);
      expect(classificationReport(classes, report.confusion)).toEqual(report);
      expect(classificationReport(classes, sampler.choose(rows, rows.length))).toEqual(report);
      expect(report.n).toBe(rows.length);
      expect(report.confusion.flat().reduce((total, cell) => total + cell, 0)).toBe(rows.length);
      for (const { precision, recall, f1, support } of report.perClass) {
        expect(recall === null).toBe(support === 0);
        if (precision !== null && recall !== null && precision + recall > 0) close(f1, (2 * precision * recall) / (precision + recall));
      }
    }
  });

  test('renaming the classes renames the report and changes no figure', () => {
    const [before, after] = [classificationReport(['a', 'b'], [[8, 2], [3, 7]]), classificationReport(['b', 'a'], [[7, 3], [2, 8]])];
    expect([after.accuracy, after.precision, after.recall, after.f1]).toEqual([before.accuracy, before.precision, before.recall, before.f1]);
    expect([...after.perClass].reverse()).toEqual(before.perClass);
  });

  test('names a class it does not know, and refuses a matrix that does not fit', () => {
    expect(() => classificationReport(['a', 'b'], [{ actual: 'a', predicted: 'x' }])).toThrow('"x" is not one of the classes a, b');
    expect(() => classificationReport(['a', 'b'], [[1, 2, 3], [1, 2, 3]])).toThrow(RangeError);
    expect(() => classificationReport(['a', 'b'], [[1, 2], [1, -2]])).toThrow(RangeError);
  });
});
