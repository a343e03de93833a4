import type { Signature } from '../../contract/package.js';
import { ServingError } from '../errors.js';
import type { InferenceInput, InferenceRequest } from './request.js';
import { elementsOf, writeValues } from './tensor.js';

/** A request's rows as a runner takes them and the log keeps them: pictures as UINT8 pixels, tables as little-endian FP32 in the columns' order. */
export interface Rows { readonly count: number; readonly datatype: 'UINT8' | 'FP32'; readonly input: Uint8Array; /** one row, without the batch */ readonly shape: readonly number[] }

/** Raw rows of a request, checked against the signature; 422 says what the signature asks, 413 that the request has too many rows. */
export function rowsOf(request: InferenceRequest, signature: Signature, maximumRows: number): Rows {
  const [first] = request.inputs;
  const count = first?.shape[0] ?? 0;
  if (count < 1) throw new ServingError(422, `Input "${first?.name ?? ''}" has no rows: the first number of its shape is the batch.`);
  if (count > maximumRows) throw new ServingError(413, `A request may hold ${maximumRows} rows; this one has ${count}. Send several, or use batch scoring.`);
  const byName = new Map<string, InferenceInput>();
  for (const input of request.inputs) {
    if (byName.has(input.name)) throw new ServingError(422, `Input "${input.name}" is given twice.`);
    byName.set(input.name, input);
  }
  const wanted = signature.inputs.map((input) => input.name);
  const missing = wanted.filter((name) => !byName.has(name));
  if (missing.length > 0) throw new ServingError(422, `Missing input: ${missing.slice(0, 5).join(', ')}. The model takes: ${wanted.slice(0, 20).join(', ')}.`);
  const unknown = [...byName.keys()].filter((name) => !wanted.includes(name));
  if (unknown.length > 0) throw new ServingError(422, `Unknown input: ${unknown.slice(0, 5).join(', ')}. The model takes: ${wanted.slice(0, 20).join(', ')}.`);
  return isPicture(signature) ? pictures(byName, signature, count) : table(byName, signature, count);
}

/** An image is one input of height, width and channels; a table has one input per column. */
const isPicture = (signature: Signature): boolean => signature.inputs.length === 1 && signature.inputs[0]?.shape.length === 3;

const FP32 = { whole: false, from: -3.4028234663852886e38, to: 3.4028234663852886e38 } as const;

function pictures(byName: ReadonlyMap<string, InferenceInput>, signature: Signature, count: number): Rows {
  const [wanted] = signature.inputs;
  const input = wanted && byName.get(wanted.name);
  if (!wanted || !input) throw new ServingError(500, 'The model has no picture input.');
  if (input.shape.length !== wanted.shape.length + 1 || wanted.shape.some((size, axis) => size !== input.shape[axis + 1])) {
    throw new ServingError(422, `Input "${input.name}" has shape [${input.shape.join(', ')}]; the model takes [n, ${wanted.shape.join(', ')}].`);
  }
  if (input.datatype !== 'UINT8' && input.datatype !== 'FP32') throw new ServingError(422, `Input "${input.name}" has datatype ${input.datatype}; pictures are UINT8, or FP32 with the same values, 0 to 255.`);
  const pixels = new Uint8Array(count * elementsOf(wanted.shape));
  writeValues(input, pixels, { whole: true, from: 0, to: 255 });
  return { count, datatype: 'UINT8', input: pixels, shape: wanted.shape };
}

function table(byName: ReadonlyMap<string, InferenceInput>, signature: Signature, count: number): Rows {
  const columns = signature.inputs.length;
  const values = new Float32Array(count * columns);
  for (const [column, { name }] of signature.inputs.entries()) {
    const input = byName.get(name);
    if (!input) throw new ServingError(500, `Column ${name} is missing.`);
    if (elementsOf(input.shape) !== count || input.shape[0] !== count) throw new ServingError(422, `Input "${name}" has shape [${input.shape.join(', ')}]; every column takes [${count}] or [${count}, 1] in this request.`);
    writeValues(input, values, FP32, column, columns);
  }
  return { count, datatype: 'FP32', input: new Uint8Array(values.buffer), shape: [columns] };
}
