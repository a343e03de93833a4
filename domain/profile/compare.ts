import type { ColumnState, DataProfile } from '../../contract/data-profile.js';
import type { SnapshotDifference } from '../../contract/snapshot.js';
import type { Comparison } from '../../definition/comparison.js';
import { kolmogorovCritical } from '../tails.js';
import { homogeneity, jensenShannon, kolmogorovSmirnov, sketchError, stabilityIndex } from './distances.js';
import { quantilesOf } from './quantile-sketch.js';
import { quantileState } from './summary.js';
import { shareText, valueText } from './words.js';

/**
 * How a snapshot differs from the one before: each thing that was looked at, and whether it is beyond what the definition allows. A shift
 * counts where it is as large as the definition says and larger than the sizes of both would give by chance: `significance` is shared
 * among the columns (C. Bonferroni, 1936), and sketches get the benefit of their error.
 */
export function compareProfiles(before: DataProfile, after: DataProfile, limits: Comparison): SnapshotDifference[] {
  const former = new Map(before.columns.map((column) => [column.name, column]));
  const shared = after.columns.filter((column) => former.get(column.name)?.type === column.type);
  // Each column's values and its missing ones, and the classes.
  const alpha = limits.significance / (2 * shared.length + 1);
  return [
    ...compareColumns(before, after, limits),
    ...compareRows(before.rows, after.rows, limits),
    ...compareClasses(before, after, limits, alpha),
    ...shared.flatMap((column) => { const old = former.get(column.name); return old ? [...compareMissing(old, column, limits, alpha), ...compareValues(old, column, limits, alpha)] : []; }),
  ];
}

function compareColumns(before: DataProfile, after: DataProfile, { columns: severity }: Comparison): SnapshotDifference[] {
  const [former, present] = [before, after].map(({ columns }) => new Map(columns.map(({ name, type }) => [name, type]))) as [Map<string, string>, Map<string, string>];
  const told = (about: string, message: string): SnapshotDifference => ({ kind: 'column', about, value: null, limit: null, exceeded: true, severity, message });
  return [
    ...[...present].flatMap(([name, type]) => {
      const old = former.get(name);
      if (old === undefined) return [told(name, `the column ${name} is new`)];
      return old === type ? [] : [told(name, `the column ${name} was ${old} and is ${type}`)];
    }),
    ...[...former.keys()].flatMap((name) => (present.has(name) ? [] : [told(name, `the column ${name} is missing`)])),
  ];
}

function compareRows(before: number, after: number, { rows: { least, most, severity } }: Comparison): SnapshotDifference[] {
  if (before === 0) return [];
  const value = after / before;
  const limit = value < 1 || most === undefined ? least : most;
  const exceeded = value < least || (most !== undefined && value > most);
  return [{ kind: 'rows', about: 'rows', value, limit, exceeded, severity, message: `${after} rows after ${before}` }];
}

function compareClasses(before: DataProfile, after: DataProfile, { classes: { change, severity } }: Comparison, alpha: number): SnapshotDifference[] {
  const [former, present] = [before.target.classes, after.target.classes];
  if (!former || !present || before.rows === 0 || after.rows === 0) return [];
  const names = [...new Set([...former, ...present].map(({ name }) => name))];
  const counts = [former, present].map((classes) => names.map((name) => classes.find((one) => one.name === name)?.rows ?? 0)) as [number[], number[]];
  const changes = names.map((name, index) => ({ name, old: (counts[0][index] ?? 0) / before.rows, now: (counts[1][index] ?? 0) / after.rows })).sort((a, b) => Math.abs(b.now - b.old) - Math.abs(a.now - a.old));
  const [largest] = changes;
  if (!largest) return [];
  const value = Math.abs(largest.now - largest.old);
  const exceeded = value > change && homogeneity(...counts) <= alpha;
  return [{ kind: 'classes', about: after.target.name, value, limit: change, exceeded, severity, message: `${shareText(largest.now)} of the rows are ${largest.name} after ${shareText(largest.old)}` }];
}

function compareMissing(before: ColumnState, after: ColumnState, { missing: { change, severity } }: Comparison, alpha: number): SnapshotDifference[] {
  const [old, now] = [before, after].map(({ present, missing }) => (present + missing === 0 ? 0 : missing / (present + missing))) as [number, number];
  if (old === 0 && now === 0) return [];
  const value = Math.abs(now - old);
  const exceeded = value > change && homogeneity([before.present, before.missing], [after.present, after.missing]) <= alpha;
  return [{ kind: 'missing', about: after.name, value, limit: change, exceeded, severity, message: `${shareText(now)} of ${after.name} is missing after ${shareText(old)}` }];
}

function compareValues(before: ColumnState, after: ColumnState, { shift }: Comparison, alpha: number): SnapshotDifference[] {
  if (before.present === 0 || after.present === 0) return [];
  if (before.numbers && after.numbers) return [compareNumbers(after, [quantileState(before.numbers), quantileState(after.numbers)], shift, alpha)];
  return before.values && after.values ? [compareTexts({ ...before.values, present: before.present }, { ...after.values, present: after.present }, after.name, shift, alpha)] : [];
}

function compareNumbers({ name, type }: ColumnState, [before, after]: [ReturnType<typeof quantileState>, ReturnType<typeof quantileState>], { distance, severity }: Comparison['shift'], alpha: number): SnapshotDifference {
  const value = kolmogorovSmirnov(before, after);
  const critical = kolmogorovCritical(alpha) * Math.sqrt(1 / before.n + 1 / after.n) + sketchError(before, after);
  const [old, now] = [before, after].map((state) => valueText(type, quantilesOf(state, [0.5])[0])) as [string, string];
  return {
    kind: 'shift', about: name, value, limit: Math.max(distance, critical), exceeded: value > Math.max(distance, critical), severity,
    message: `the distribution of ${name} moved by ${value.toFixed(3)} (Kolmogorov-Smirnov), its median is ${now} after ${old}`,
  };
}

type Values = NonNullable<ColumnState['values']> & Pick<ColumnState, 'present'>;

function compareTexts(before: Values, after: Values, name: string, { distance, severity }: Comparison['shift'], alpha: number): SnapshotDifference {
  const names = [...new Set([...before.counts, ...after.counts].map(([value]) => value))];
  const [left, right] = [before, after].map((values) => { const of = new Map(values.counts); return names.map((value) => of.get(value) ?? 0); }) as [number[], number[]];
  // Texts that are not surely frequent on both sides, or that were not counted, are one category.
  const kept = names.map((_, index) => (before.error === 0 && after.error === 0) || Math.min(left[index] ?? 0, right[index] ?? 0) > Math.max(before.error, after.error));
  const rest = (values: Values, list: readonly number[]) => values.present - list.reduce((sum, count) => sum + count, 0);
  const counts = [[before, left], [after, right]].map(([values, list]) => { const own = (list as number[]).filter((_, index) => kept[index]); return [...own, rest(values as Values, own)]; }) as [number[], number[]];
  const value = jensenShannon(...counts);
  const p = homogeneity(...counts);
  const changed = names.map((text, index) => ({ text, change: (right[index] ?? 0) / after.present - (left[index] ?? 0) / before.present })).sort((a, b) => Math.abs(b.change) - Math.abs(a.change))[0];
  return {
    kind: 'shift', about: name, value, limit: distance, exceeded: value > distance && p <= alpha, severity,
    message: `the values of ${name} moved by ${value.toFixed(3)} (Jensen-Shannon; stability index ${stabilityIndex(...counts).toFixed(3)})${changed ? `, most of all ${changed.text === '' ? '(empty)' : changed.text}: ${changed.change > 0 ? '+' : '−'}${shareText(Math.abs(changed.change))}` : ''}`,
  };
}
