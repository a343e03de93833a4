import { z } from 'zod';
import type { Signature, SignatureInput } from '../../contract/package.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import { ServingError, tooManyRows } from '../errors.js';
import { bytesOf } from './bytes.js';
import { MOST_INPUTS, type Datatype, type InferenceInput } from './request.js';

/** A row as a JSON object: raw values by the names of the columns, or a picture by the name of the input. */
export const NamedRow = z.record(z.string(), z.unknown());
export type NamedRow = z.infer<typeof NamedRow>;

const isNamed = (value: unknown): value is NamedRow => typeof value === 'object' && value !== null && !Array.isArray(value) && bytesOf(value) === null;

/** Rows, each an object, or, where the model has one input, its value alone, as the tensors of an inference. What a row leaves out is missing. 413 where there are too many. */
export function inputsOfRows(rows: readonly unknown[], signature: Signature, maximumRows: number): InferenceInput[] {
  if (rows.length > maximumRows) throw tooManyRows(rows.length, maximumRows);
  const named = rows.map((row, at) => (isNamed(row) ? row : { [onlyInput(signature, `row ${at}`)]: row }));
  const names = [...new Set(named.flatMap(Object.keys))];
  if (names.length > MOST_INPUTS) throw new ServingError(422, `The rows name ${names.length} inputs; a request may have ${MOST_INPUTS}.`);
  return names.map((name) => inputOf(name, named.map((row) => (Object.hasOwn(row, name) ? row[name] : null)), signature));
}

/** Columns, each an array of values, or, where the model has one input, its array alone, as the tensors of an inference. */
export function inputsOfColumns(columns: unknown, signature: Signature): InferenceInput[] {
  const named = isNamed(columns) ? columns : { [onlyInput(signature, 'inputs')]: columns };
  return Object.entries(named).map(([name, values]) => {
    if (!Array.isArray(values)) throw new ServingError(400, `inputs "${name}": an array with a value for each row is needed`);
    return inputOf(name, values, signature);
  });
}

function onlyInput({ inputs }: Signature, what: string): string {
  const [only, ...more] = inputs;
  if (!only || more.length > 0) throw new ServingError(422, `${what}: the model takes several inputs, so each value needs its name: ${inputs.slice(0, 20).map(({ name }) => name).join(', ')}.`);
  return only.name;
}

function inputOf(name: string, values: readonly unknown[], signature: Signature): InferenceInput {
  const wanted = signature.inputs.find((input) => input.name === name);
  if (wanted && wanted.shape.length === 3) {
    if (values.some((value) => bytesOf(value) !== null)) return { name, shape: [values.length], datatype: 'BYTES', data: values };
    return { name, shape: shapeOf(values), datatype: 'UINT8', data: values };
  }
  // A tensor of shape [1] may be written as its value.
  return { name, shape: [values.length], datatype: datatypeOf(wanted, name, signature), data: values.map((value: unknown) => (Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value)) };
}

/** What a nested array's first elements say; that the others are alike is checked where they are read. */
function shapeOf(values: readonly unknown[]): number[] {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level) && shape.length < 8; level = (level as unknown[])[0]) shape.push(level.length);
  return shape;
}

function datatypeOf(wanted: SignatureInput | undefined, name: string, { lookups = [] }: Signature): Datatype {
  if (wanted) return wanted.type === undefined ? wanted.datatype : DATATYPES[wanted.type];
  const key = lookups.flatMap(({ keys }) => keys).find(({ input }) => input === name);
  return DATATYPES[key?.type ?? 'text']; // one that the model does not know is refused by its name
}
