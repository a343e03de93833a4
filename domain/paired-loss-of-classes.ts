import type { Metric } from '../definition/evaluation.js';
import { classificationReport } from './classification.js';
import { Z95 } from './intervals.js';
import type { Answers, PairedLoss } from './paired-loss.js';

/**
 * Delta method: a figure moves with each row by its influence, and the rows' differences of influence give the variance of the difference
 * (macro precision, recall and F1: K. Takahashi et al., "Confidence interval for micro-averaged F1 and macro-averaged F1 scores", Applied
 * Intelligence 52, 2022). Adjusted as the interval of a paired difference of shares is (Bonett and Price, see `pairedDifference`, with which it
 * agrees for accuracy): one row won and one lost are added, each of the most that a row can move, so that no disagreement on few rows does not pass for none on any.
 */
export function lossOfClasses(metric: Metric, { actual, full, variant }: Answers, classes: number): PairedLoss | null {
  const [ofFull, ofVariant] = [influence(metric, actual, full, classes), influence(metric, actual, variant, classes)];
  if (ofFull.value === null || ofVariant.value === null) return null;
  const n = actual.length;
  const value = ofFull.value - ofVariant.value;
  let squares = 2 * ofFull.most ** 2;
  for (const [row, truth] of actual.entries()) squares += (value + ofFull.of(truth, full[row] ?? -1) - ofVariant.of(truth, variant[row] ?? -1)) ** 2;
  const center = (value * n) / (n + 2);
  const half = Z95 * Math.sqrt((squares / (n + 2) - center ** 2) / (n + 2));
  return { n, value, interval: [Math.max(-1, center - half), Math.min(1, center + half)] };
}

interface Influence { readonly value: number | null; /** By how much a row moves the figure, times the number of rows; 0 on average. */ readonly of: (actual: number, predicted: number) => number; /** The most that a row moves it by being right instead of wrong. */ readonly most: number }

function influence(metric: Metric, actual: readonly number[], predicted: readonly number[], classes: number): Influence {
  const confusion = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (const [row, truth] of actual.entries()) {
    const line = confusion[truth];
    const said = predicted[row] ?? -1;
    if (line) line[said] = (line[said] ?? 0) + 1;
  }
  const report = classificationReport(confusion.map((_, index) => String(index)), confusion);
  const { n, perClass } = report;
  if (metric === 'accuracy') return { value: report.accuracy, of: (truth, said) => (truth === said ? 1 : 0) - (report.accuracy ?? 0), most: 1 };
  const supported = perClass.filter(({ support }) => support > 0).length;
  const parts = perClass.map(({ support, recall, precision, f1 }, index) => {
    const said = confusion.reduce((sum, row) => sum + (row[index] ?? 0), 0);
    const scale = (rows: number) => (support === 0 || rows === 0 ? 0 : n / rows / supported);
    switch (metric) {
      case 'recall': return { right: scale(support), ofActual: (recall ?? 0) * scale(support), ofPredicted: 0 };
      case 'precision': return { right: scale(said), ofActual: 0, ofPredicted: (precision ?? 0) * scale(said) };
      case 'f1': return { right: 2 * scale(support + said), ofActual: (f1 ?? 0) * scale(support + said), ofPredicted: (f1 ?? 0) * scale(support + said) };
    }
  });
  const of = (truth: number, said: number) => (truth === said ? (parts[truth]?.right ?? 0) : 0) - (parts[truth]?.ofActual ?? 0) - (parts[said]?.ofPredicted ?? 0);
  const worst = parts.map((_, index) => index).sort((a, b) => (parts[b]?.ofPredicted ?? 0) - (parts[a]?.ofPredicted ?? 0)).slice(0, 2);
  const most = perClass.reduce((sofar, { support }, truth) => (support === 0 ? sofar : Math.max(sofar, of(truth, truth) - of(truth, worst.find((said) => said !== truth) ?? truth))), 0);
  return { value: report[metric], of, most };
}
