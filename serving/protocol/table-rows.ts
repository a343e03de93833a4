import type { Signature, SignatureInput } from '../../contract/package.js';
import type { Cell } from '../../domain/cells.js';
import type { Pseudonyms } from '../../runtime/personal/pseudonyms.js';
import { cellReaderOf } from '../../domain/signature-cells.js';
import { ServingError } from '../errors.js';
import type { Datatype, InferenceInput } from './request.js';
import { elementsOf, isInRange, isNumeric, printed, valuesOf } from './tensor.js';

type ColumnType = NonNullable<SignatureInput['type']>;

/** A table's rows, each with its values in the signature's order. A nullable column may be left out, or hold nulls; personal data is replaced as it was in training. 422 says which value of which column is wrong. */
export function tableRows(byName: ReadonlyMap<string, InferenceInput>, { inputs }: Pick<Signature, 'inputs'>, count: number, pseudonyms: Pseudonyms | null): Cell[][] {
  const rows = Array.from({ length: count }, (): Cell[] => []);
  for (const wanted of inputs) {
    const input = byName.get(wanted.name);
    const values = input ? columnValues(input, wanted, count, pseudonyms) : null; // a nullable column that was left out
    rows.forEach((row, at) => row.push(values?.[at] ?? null));
  }
  return rows;
}

function columnValues(input: InferenceInput, wanted: SignatureInput, count: number, pseudonyms: Pseudonyms | null): Cell[] {
  const { name } = input;
  const type = wanted.type ?? 'number';
  if (elementsOf(input.shape) !== count || input.shape[0] !== count) throw new ServingError(422, `Input "${name}" has shape [${input.shape.join(', ')}]; every column takes [${count}] or [${count}, 1] in this request.`);
  if (!holds(input.datatype, type)) throw new ServingError(422, `Input "${name}" has datatype ${input.datatype}; the column is of type ${type}: ${datatypesOf(type)}.`);
  const refuse = (row: number, value: unknown, problem: string) => new ServingError(422, `Input "${name}", value ${row}: ${printed(value)} ${problem}.`);
  const { personal } = wanted;
  if (personal && personal.key !== pseudonyms?.key) throw new TypeError(`the pseudonyms of ${name} need the key ${personal.key}`);
  const readCell = personal ? cellReaderOf(wanted, (text) => pseudonyms?.replace(personal.action, text) ?? text) : cellReaderOf(wanted);
  return valuesOf(input).map((value, row) => {
    const read = readCell(value);
    if ('problem' in read) throw refuse(row, value, read.problem);
    if (typeof value === 'number' && isInRange(input.datatype, value) === false) throw refuse(row, value, `is no ${input.datatype}`);
    return read.cell;
  });
}

function holds(datatype: Datatype, type: ColumnType): boolean {
  switch (type) {
    case 'number': return isNumeric(datatype);
    case 'boolean': return datatype === 'BOOL';
    case 'text': case 'time': return datatype === 'BYTES';
  }
}

function datatypesOf(type: ColumnType): string {
  return { number: 'FP64, FP32 or a datatype of whole numbers', boolean: 'BOOL', text: 'BYTES, with texts in `data`', time: 'BYTES, with ISO 8601 times in `data`' }[type];
}
