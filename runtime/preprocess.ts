import type { Preprocessing, Signature } from '../contract/package.js';

/** Raw rows as they arrive: a picture's bytes, or a table's numbers. */
export type RawRows = Uint8Array | Float32Array;

/** Fitted preprocessing, ready to apply. The one code that training, evaluation and serving share. */
export interface Preprocessor {
  /** Shape of one row's tensor: `[height, width, channels]` or `[columns]`. */
  readonly shape: readonly number[];
  /** Numbers in a row. */
  readonly width: number;
  /** Writes `(raw - offset) * scale` of `rows` rows, from `raw[from]` on, to `out[to]` on. */
  readonly apply: (raw: RawRows, from: number, rows: number, out: Float32Array, to: number) => void;
}

export function createPreprocessor(fitted: Preprocessing): Preprocessor {
  switch (fitted.kind) {
    case 'image': return imagePreprocessor(fitted);
    case 'table': return tablePreprocessor(fitted);
  }
}

function imagePreprocessor({ height, width, channels, offset, scale }: Extract<Preprocessing, { kind: 'image' }>): Preprocessor {
  const row = height * width * channels;
  // Bytes have 256 values: a table is quicker than the arithmetic and gives the same numbers.
  const table = Float32Array.from({ length: 256 }, (_, value) => (value - offset) * scale);
  return {
    shape: [height, width, channels], width: row,
    apply: (raw, from, rows, out, to) => {
      const length = rows * row;
      if (raw instanceof Uint8Array) for (let index = 0; index < length; index += 1) out[to + index] = table[raw[from + index] ?? 0] ?? 0;
      else for (let index = 0; index < length; index += 1) out[to + index] = ((raw[from + index] ?? 0) - offset) * scale;
    },
  };
}

function tablePreprocessor({ columns }: Extract<Preprocessing, { kind: 'table' }>): Preprocessor {
  const width = columns.length;
  const offsets = Float64Array.from(columns, ({ offset }) => offset);
  const scales = Float64Array.from(columns, ({ scale }) => scale);
  return {
    shape: [width], width,
    apply: (raw, from, rows, out, to) => {
      for (let row = 0; row < rows; row += 1) {
        const base = row * width;
        for (let column = 0; column < width; column += 1) out[to + base + column] = ((raw[from + base + column] ?? 0) - (offsets[column] ?? 0)) * (scales[column] ?? 0);
      }
    },
  };
}

/** The signature of a model with this preprocessing: what a caller sends and gets. */
export function signatureOf(fitted: Preprocessing, inputName: string, classes: readonly string[]): Signature {
  const inputs = fitted.kind === 'image'
    ? [{ name: inputName, datatype: 'UINT8' as const, shape: [fitted.height, fitted.width, fitted.channels] }]
    : fitted.columns.map(({ name }) => ({ name, datatype: 'FP32' as const, shape: [1] }));
  return { inputs, outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [classes.length] }], classes: [...classes] };
}
