import type { FittedFeature } from '../../contract/features.js';
import type { Cell, CellRow } from '../cells.js';
import { hash32, wordsOf } from './hash.js';
import { partOf, periodOf } from './times.js';

/** Fitted features, ready to apply: the one code by which training, evaluation, servers, batch scoring and golden checks turn a row into numbers. */
export interface FeatureMap {
  /** Numbers in a row's tensor, and what each of them is. */
  readonly names: readonly string[];
  /** Of each of these numbers, the places of the columns that it is made of. */
  readonly sources: readonly (readonly number[])[];
  /** Writes a row's numbers to `out`, from `at` on. */
  readonly write: (cells: CellRow, out: Float32Array, at: number) => void;
  /** Why a row is refused (a category that was not seen, where the definition says `refuse`), or null. */
  readonly problemOf: (cells: CellRow) => string | null;
}

interface Step { readonly names: readonly string[]; readonly write: (cells: CellRow, out: Float32Array, at: number) => void }

/** @param columns names of the columns, in the order of the cells */
export function createFeatureMap(columns: readonly string[], features: readonly FittedFeature[]): FeatureMap {
  const placeOf = (column: string): number => {
    const place = columns.indexOf(column);
    if (place < 0) throw new RangeError(`a feature is made of the column ${column}, which is not among ${columns.join(', ')}`);
    return place;
  };
  const steps = features.map((feature) => stepOf(feature, placeOf));
  const refusing = features.flatMap((feature) => (feature.kind === 'category' && feature.unknown === 'refuse' ? [{ column: feature.column, place: placeOf(feature.column), known: new Set(feature.categories) }] : []));
  const widths = steps.map((step) => step.names.length);
  return {
    names: steps.flatMap((step) => step.names),
    sources: features.flatMap((feature, index) => {
      const places = feature.kind === 'cross' ? feature.of.map(({ column }) => placeOf(column)) : [placeOf(feature.column)];
      return Array.from({ length: widths[index] ?? 0 }, () => places);
    }),
    write: (cells, out, at) => {
      let to = at;
      for (let index = 0; index < steps.length; index += 1) {
        steps[index]?.write(cells, out, to);
        to += widths[index] ?? 0;
      }
    },
    problemOf: (cells) => {
      for (const { column, place, known } of refusing) {
        const cell = cells[place] ?? null;
        if (cell !== null && !known.has(String(cell))) return `column ${column}: ${JSON.stringify(cell)} is a category that the model does not know`;
      }
      return null;
    },
  };
}

function stepOf(feature: FittedFeature, placeOf: (column: string) => number): Step {
  switch (feature.kind) {
    case 'number': return numberStep(feature, placeOf(feature.column));
    case 'category': return categoryStep(feature, placeOf(feature.column));
    case 'bucket': return bucketStep(feature, placeOf(feature.column));
    case 'length': return lengthStep(feature, placeOf(feature.column));
    case 'words': return wordsStep(feature, placeOf(feature.column));
    case 'time': return timeStep(feature, placeOf(feature.column));
    case 'missing': return missingStep(feature.column, placeOf(feature.column));
    case 'cross': return crossStep(feature, feature.of.map(({ column }) => placeOf(column)));
  }
}
type Fitted<K extends FittedFeature['kind']> = Extract<FittedFeature, { kind: K }>;

const numeric = (cell: Cell): number => (typeof cell === 'string' ? NaN : Number(cell));

function numberStep({ column, fill, indicator, offset, scale }: Fitted<'number'>, place: number): Step {
  return {
    names: indicator ? [column, `${column} is missing`] : [column],
    write: (cells, out, at) => {
      const cell = cells[place] ?? null;
      out[at] = ((cell === null ? fill : numeric(cell)) - offset) * scale;
      if (indicator) out[at + 1] = cell === null ? 1 : 0;
    },
  };
}

/** Sets one of `width` numbers to 1 and the others to 0; none where `hot` is -1. */
function oneHot(out: Float32Array, at: number, width: number, hot: number): void {
  out.fill(0, at, at + width);
  if (hot >= 0) out[at + hot] = 1;
}

function categoryStep({ column, categories, unknown, fill, missing }: Fitted<'category'>, place: number): Step {
  const positions = new Map(categories.map((name, index) => [name, index]));
  const unknownAt = unknown === 'bucket' ? categories.length : -1;
  const missingAt = categories.length + (unknown === 'bucket' ? 1 : 0);
  const width = missingAt + (missing ? 1 : 0);
  return {
    names: [...categories.map((name) => `${column}=${name}`), ...(unknown === 'bucket' ? [`${column} is another`] : []), ...(missing ? [`${column} is missing`] : [])],
    write: (cells, out, at) => {
      const cell = cells[place] ?? fill;
      oneHot(out, at, width, cell === null ? -1 : positions.get(String(cell)) ?? unknownAt);
      if (missing && (cells[place] ?? null) === null) out[at + missingAt] = 1;
    },
  };
}

/** How many edges are not above the value: 0 below the first, `edges.length` from the last on. */
export function bucketOf(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bucketStep({ column, edges, missing }: Fitted<'bucket'>, place: number): Step {
  const names = [`${column} < ${edges[0] ?? ''}`, ...edges.map((edge, index) => (index + 1 < edges.length ? `${edge} <= ${column} < ${edges[index + 1] ?? ''}` : `${column} >= ${edge}`)), ...(missing ? [`${column} is missing`] : [])];
  return {
    names,
    write: (cells, out, at) => {
      const cell = cells[place] ?? null;
      oneHot(out, at, names.length, cell === null ? (missing ? edges.length + 1 : -1) : bucketOf(edges, numeric(cell)));
    },
  };
}

/** Code points of a text. */
export function lengthOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function lengthStep({ column, offset, scale }: Fitted<'length'>, place: number): Step {
  return {
    names: [`length of ${column}`],
    write: (cells, out, at) => {
      const cell = cells[place] ?? null;
      out[at] = cell === null ? 0 : (lengthOf(String(cell)) - offset) * scale;
    },
  };
}

function wordsStep({ column, buckets }: Fitted<'words'>, place: number): Step {
  return {
    names: Array.from({ length: buckets }, (_, bucket) => `words of ${column} #${bucket}`),
    write: (cells, out, at) => {
      out.fill(0, at, at + buckets);
      const cell = cells[place] ?? null;
      if (cell === null) return;
      for (const word of wordsOf(String(cell))) {
        const to = at + (hash32(word) % buckets);
        out[to] = (out[to] ?? 0) + 1;
      }
    },
  };
}

function timeStep({ column, part, cyclic, offset, scale }: Fitted<'time'>, place: number): Step {
  const period = periodOf(part);
  const turns = cyclic && period !== null;
  return {
    names: turns ? [`${part} of ${column} (sin)`, `${part} of ${column} (cos)`] : [`${part} of ${column}`],
    write: (cells, out, at) => {
      const cell = cells[place] ?? null;
      const value = cell === null ? null : partOf(String(cell), part);
      if (turns) {
        const angle = value === null ? null : (2 * Math.PI * value) / period;
        out[at] = angle === null ? 0 : Math.sin(angle);
        out[at + 1] = angle === null ? 0 : Math.cos(angle);
      } else out[at] = value === null ? 0 : period === null ? (value - offset) * scale : value / period;
    },
  };
}

function missingStep(column: string, place: number): Step {
  return { names: [`${column} is missing`], write: (cells, out, at) => { out[at] = (cells[place] ?? null) === null ? 1 : 0; } };
}

function crossStep({ of, buckets }: Fitted<'cross'>, places: readonly number[]): Step {
  const name = of.map(({ column }) => column).join(' × ');
  return {
    names: Array.from({ length: buckets }, (_, bucket) => `${name} #${bucket}`),
    write: (cells, out, at) => {
      const values = of.map(({ edges }, index) => {
        const cell = cells[places[index] ?? -1] ?? null;
        return cell === null || edges === undefined ? cell : bucketOf(edges, numeric(cell));
      });
      oneHot(out, at, buckets, hash32(JSON.stringify(values.map((value) => (value === null ? null : String(value))))) % buckets);
    },
  };
}
