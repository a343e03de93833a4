import type { FittedFeature } from '../contract/features.js';
import type { JoinedView } from '../contract/joined-view.js';
import type { TypedColumn } from '../definition/columns.js';
import type { SnapshotPersonal } from '../contract/snapshot.js';
import type { Preprocessing, Signature, SignatureInput } from '../contract/package.js';
import type { Target } from '../definition/target.js';
import type { CellRow } from '../domain/cells.js';
import type { Scaling } from './data/labels.js';
import { createFeatureMap } from '../domain/features/apply.js';
import type { FeatureMap } from '../domain/features/apply.js';
import { DATATYPES } from '../domain/signature-cells.js';

/** Raw rows as they arrive: pictures' bytes one after another (float32 with the same values will do), or a table's rows. */
export type RawRows = Uint8Array | Float32Array | readonly CellRow[];

/** Fitted preprocessing, ready to apply. The one code that training, evaluation and serving share. */
export interface Preprocessor {
  /** Shape of one row's tensor: `[height, width, channels]` or `[features]`. */
  readonly shape: readonly number[];
  /** Numbers in a row's tensor. */
  readonly width: number;
  /** Writes the tensors of `rows` rows, from row `from` on, to `out[to]` on. */
  readonly apply: (raw: RawRows, from: number, rows: number, out: Float32Array, to: number) => void;
  /** Why a row of a table is refused, or null. */
  readonly problemOf: (row: CellRow) => string | null;
}

export function createPreprocessor(fitted: Preprocessing): Preprocessor {
  return fitted.kind === 'image' ? imagePreprocessor(fitted) : tablePreprocessor(fitted);
}

function imagePreprocessor({ height, width, channels, offset, scale }: Extract<Preprocessing, { kind: 'image' }>): Preprocessor {
  const row = height * width * channels;
  // Bytes have 256 values: a table is quicker than the arithmetic and gives the same numbers.
  const table = Float32Array.from({ length: 256 }, (_, value) => (value - offset) * scale);
  return {
    shape: [height, width, channels], width: row, problemOf: () => null,
    apply: (raw, from, rows, out, to) => {
      if (!isPixels(raw)) throw new TypeError('a model of pictures was given rows of a table');
      const [start, length] = [from * row, rows * row];
      if (raw instanceof Uint8Array) for (let index = 0; index < length; index += 1) out[to + index] = table[raw[start + index] ?? 0] ?? 0;
      else for (let index = 0; index < length; index += 1) out[to + index] = ((raw[start + index] ?? 0) - offset) * scale;
    },
  };
}

export function isPixels(raw: RawRows): raw is Uint8Array | Float32Array {
  return raw instanceof Uint8Array || raw instanceof Float32Array;
}

export type TablePreprocessing = Exclude<Preprocessing, { kind: 'image' }>;

/** What of a table's tensor is made of which columns. */
export function featureMapOf(fitted: TablePreprocessing): FeatureMap {
  return createFeatureMap(columnsOf(fitted).map(({ name }) => name), featuresOf(fitted));
}

/** The fitted features of a table; before columns had types, every one was a number. */
export function featuresOf(fitted: TablePreprocessing): readonly FittedFeature[] {
  return fitted.kind === 'columns' ? fitted.features : fitted.columns.map(({ name: column, offset, scale }) => ({ kind: 'number', column, fill: 0, indicator: false, offset, scale }));
}

function tablePreprocessor(fitted: TablePreprocessing): Preprocessor {
  const { names, write, problemOf } = featureMapOf(fitted);
  const rowOf = fitted.kind === 'table' ? singlePrecision : (row: CellRow) => row;
  return {
    shape: [names.length], width: names.length, problemOf,
    apply: (raw, from, rows, out, to) => {
      if (isPixels(raw)) throw new TypeError('a model of a table was given pictures');
      for (let row = 0; row < rows; row += 1) write(rowOf(raw[from + row] ?? []), out, to + row * names.length);
    },
  };
}

/** As rows were when columns had no types. */
function singlePrecision(row: CellRow): CellRow {
  return row.map((cell) => (typeof cell === 'number' ? Math.fround(cell) : cell));
}

/** The columns of a table's rows. */
export function columnsOf(fitted: TablePreprocessing): TypedColumn[] {
  return fitted.kind === 'columns' ? fitted.columns : fitted.columns.map(({ name }) => ({ name, type: 'number', nullable: false }));
}

/** Takes rows whose tensors were made before: what training keeps of a table. */
export function preparedRows(width: number): Preprocessor {
  return {
    shape: [width], width, problemOf: () => null,
    apply: (raw, from, rows, out, to) => {
      if (!(raw instanceof Float32Array)) throw new TypeError('prepared rows are float32');
      out.set(raw.subarray(from * width, (from + rows) * width), to);
    },
  };
}

/** How the target of a regression is scaled for the network: `tensor = (raw - offset) * scale`. */
export function targetScaling(fitted: Preprocessing): Scaling | undefined {
  return fitted.kind === 'columns' ? fitted.target : undefined;
}

/** The signature of a model with this preprocessing: what a caller sends and gets. `personal`: columns whose values were replaced in training; `views`: those that columns came from. */
export function signatureOf(fitted: Preprocessing, inputName: string, target: Target, { personal, views }: { readonly personal?: SnapshotPersonal | undefined; readonly views?: readonly JoinedView[] | undefined } = {}): Signature {
  const inputs = inputsOf(fitted, inputName).map((input) => {
    const action = personal?.columns[input.name];
    return personal && action ? { ...input, personal: { action, key: personal.key } } : input;
  });
  const lookups = views ? { lookups: [...views] } : {};
  if (target.task === 'regression') return { task: 'regression', inputs, ...lookups, outputs: [{ name: 'value', datatype: 'FP64', shape: [1] }], target: target.name };
  return { inputs, ...lookups, outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [target.classes.length] }], classes: [...target.classes] };
}

function inputsOf(fitted: Preprocessing, inputName: string): SignatureInput[] {
  if (fitted.kind === 'image') return [{ name: inputName, datatype: 'UINT8', shape: [fitted.height, fitted.width, fitted.channels], ...(fitted.resize === undefined ? {} : { resize: fitted.resize }) }];
  const features = fitted.kind === 'columns' ? fitted.features : [];
  return columnsOf(fitted).map(({ name, type, nullable }) => {
    const refusing = features.find((feature) => feature.kind === 'category' && feature.column === name && feature.unknown === 'refuse');
    return { name, datatype: DATATYPES[type], shape: [1], type, nullable, ...(refusing?.kind === 'category' ? { allowed: refusing.categories } : {}) };
  });
}
