import type { Signature, SignatureInput } from '../contract/package.js';
import type { ColumnType, TypedColumn } from '../definition/columns.js';
import { cellOf, describeColumn } from './cells.js';
import type { Cell } from './cells.js';

/** How callers send the values of a column (Open Inference Protocol v2). */
export const DATATYPES = { number: 'FP64', text: 'BYTES', boolean: 'BOOL', time: 'BYTES' } as const satisfies Record<ColumnType, SignatureInput['datatype']>;

/** The columns of a table's signature; before columns had types, every one was a number. */
export function signatureColumns({ inputs }: Pick<Signature, 'inputs'>): TypedColumn[] {
  return inputs.map(columnOfInput);
}

function columnOfInput({ name, type = 'number', nullable = false }: SignatureInput): TypedColumn {
  return { name, type, nullable };
}

const NAMED_CATEGORIES = 20;

/** Reads a value of a column as callers give it: the cell, or what is wrong with the value (`is not a finite number`). */
export type CellReader = (value: unknown) => { readonly cell: Cell } | { readonly problem: string };

/** Made once for each column of a loaded version: its known categories may be thousands. */
const readers = new WeakMap<SignatureInput, CellReader>();

/** `replace`: what becomes of a text before anything else is done with it; the same for an input each time. */
export function cellReaderOf(input: SignatureInput, replace?: (text: string) => string): CellReader {
  const reader = readers.get(input) ?? createCellReader(input, replace);
  readers.set(input, reader);
  return reader;
}

function createCellReader(input: SignatureInput, replace: (text: string) => string = (text) => text): CellReader {
  const column = columnOfInput(input);
  const known = input.allowed && new Set(input.allowed);
  return (value) => {
    const read = cellOf(column, typeof value === 'string' ? replace(value) : value);
    // Packages of before columns had types were trained on numbers of 32 bits.
    const cell = input.datatype === 'FP32' && typeof read === 'number' ? cellOf(column, Math.fround(read)) : read;
    if (cell === undefined) return { problem: `is not ${describeColumn(column)}` };
    if (known && cell !== null && !known.has(String(cell))) return { problem: `is a category that the model does not know. It knows: ${[...known].slice(0, NAMED_CATEGORIES).join(', ')}${known.size > NAMED_CATEGORIES ? ', …' : ''}` };
    return { cell };
  };
}
