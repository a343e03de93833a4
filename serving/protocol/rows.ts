import type { Signature } from '../../contract/package.js';
import { ServingError, tooManyRows } from '../errors.js';
import type { InferenceInput, InferenceRequest } from './request.js';
import { elementsOf, isNumeric, writeValues } from './tensor.js';
import { tableRows } from './table-rows.js';
import { encodeRow } from '../../domain/cells.js';
import type { CellRow } from '../../domain/cells.js';
import type { Pseudonyms } from '../../runtime/personal/pseudonyms.js';
import { MOST_PIXELS, resizePixels } from '../../domain/resize.js';
import { signatureColumns } from '../../domain/signature-cells.js';

/** A request's rows as a runner takes them. `shape`: one row's, without the batch; `logged`: rows of a table as the prediction log keeps them. */
export type Rows = { readonly count: number; readonly shape: readonly number[] }
  & ({ readonly datatype: 'UINT8'; readonly input: Uint8Array } | { readonly datatype: 'CELLS'; readonly input: readonly CellRow[]; readonly logged: readonly Uint8Array[] });

/** Raw rows of a request, checked against the signature; 422 says what the signature asks, 413 that the request has too many rows. */
export function rowsOf(request: InferenceRequest, signature: Signature, maximumRows: number, pseudonyms: Pseudonyms | null = null): Rows {
  const [first] = request.inputs;
  const count = first?.shape[0] ?? 0;
  if (count < 1) throw new ServingError(422, `Input "${first?.name ?? ''}" has no rows: the first number of its shape is the batch.`);
  if (count > maximumRows) throw tooManyRows(count, maximumRows);
  const byName = new Map<string, InferenceInput>();
  for (const input of request.inputs) {
    if (byName.has(input.name)) throw new ServingError(422, `Input "${input.name}" is given twice.`);
    byName.set(input.name, input);
  }
  const wanted = signature.inputs.map((input) => input.name);
  const missing = signature.inputs.filter(({ name, nullable }) => nullable !== true && !byName.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw new ServingError(422, `Missing input: ${missing.slice(0, 5).join(', ')}. The model takes: ${wanted.slice(0, 20).join(', ')}.`);
  const unknown = [...byName.keys()].filter((name) => !wanted.includes(name));
  if (unknown.length > 0) throw new ServingError(422, `Unknown input: ${unknown.slice(0, 5).join(', ')}. The model takes: ${wanted.slice(0, 20).join(', ')}.`);
  if (isPicture(signature)) return pictures(byName, signature, count);
  const input = tableRows(byName, signature, count, pseudonyms);
  const columns = signatureColumns(signature);
  return { count, datatype: 'CELLS', input, shape: [], logged: input.map((row) => encodeRow(columns, row)) };
}

/** An image is one input of height, width and channels; a table has one input per column. */
const isPicture = (signature: Signature): boolean => signature.inputs.length === 1 && signature.inputs[0]?.shape.length === 3;

function pictures(byName: ReadonlyMap<string, InferenceInput>, signature: Signature, count: number): Rows {
  const [wanted] = signature.inputs;
  const input = wanted && byName.get(wanted.name);
  if (!wanted || !input) throw new ServingError(500, 'The model has no picture input.');
  const [height = 0, width = 0, channels = 0] = input.shape.slice(1);
  const [wantedHeight = 0, wantedWidth = 0, wantedChannels = 0] = wanted.shape;
  const isOfSize = height === wantedHeight && width === wantedWidth;
  if (input.shape.length !== wanted.shape.length + 1 || channels !== wantedChannels || (!isOfSize && (wanted.resize === undefined || height < 1 || width < 1))) {
    throw new ServingError(422, `Input "${input.name}" has shape [${input.shape.join(', ')}]; the model takes [n, ${wanted.resize === undefined ? wanted.shape.join(', ') : `height, width, ${wantedChannels}`}].`);
  }
  if (count * height * width > MOST_PIXELS) throw new ServingError(413, `A request may hold ${MOST_PIXELS} pixels; this one has ${count} × ${height} × ${width}.`);
  if (!isNumeric(input.datatype)) throw new ServingError(422, `Input "${input.name}" has datatype ${input.datatype}; pixels are UINT8, or another datatype of numbers with the same values, 0 to 255.`);
  const pixels = new Uint8Array(elementsOf(input.shape));
  writeValues(input, pixels, { whole: true, from: 0, to: 255 });
  if (isOfSize || wanted.resize === undefined) return { count, datatype: 'UINT8', input: pixels, shape: wanted.shape };
  const [row, resizedRow] = [height * width * channels, elementsOf(wanted.shape)];
  const resized = new Uint8Array(count * resizedRow);
  for (let at = 0; at < count; at += 1) resized.set(resizePixels(pixels.subarray(at * row, (at + 1) * row), { height, width, channels }, { height: wantedHeight, width: wantedWidth }, wanted.resize), at * resizedRow);
  return { count, datatype: 'UINT8', input: resized, shape: wanted.shape };
}
