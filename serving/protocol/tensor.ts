import { ServingError } from '../errors.js';
import { bytesOf } from './bytes.js';
import type { Datatype, InferenceInput } from './request.js';

interface Range { whole: boolean; from: number; to: number }
const whole = (from: number, to: number): Range => ({ whole: true, from, to });
const floating = (to: number): Range => ({ whole: false, from: -to, to });

/** What a value of each numeric datatype may be. */
const RANGES = {
  UINT8: whole(0, 255), UINT16: whole(0, 65_535), UINT32: whole(0, 2 ** 32 - 1), UINT64: whole(0, Number.MAX_SAFE_INTEGER),
  INT8: whole(-128, 127), INT16: whole(-32_768, 32_767), INT32: whole(-(2 ** 31), 2 ** 31 - 1), INT64: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  FP16: floating(65_504), FP32: floating(3.4028234663852886e38), FP64: floating(Number.MAX_VALUE),
} as const satisfies Partial<Record<Datatype, Range>>;

export type NumericDatatype = keyof typeof RANGES;
export const isNumeric = (datatype: Datatype): datatype is NumericDatatype => datatype in RANGES;

export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/**
 * Writes an input's values, row-major, into `target` from `offset` on, `stride` apart. `data` may be flat or nested as its shape says, or
 * a typed array.
 * 422 where a value, a length or the nesting is not what shape and datatype say.
 */
export function writeValues(input: InferenceInput, target: { [index: number]: number }, within: Range | null = null, offset = 0, stride = 1): void {
  const { name, datatype, data, shape } = input;
  if (!isNumeric(datatype)) throw new ServingError(422, `Input "${name}" has datatype ${datatype}; numbers are needed.`);
  if (!Array.isArray(data) && !isTyped(data)) throw new ServingError(400, `inputs "${name}": data must be an array`);
  const range: Range = RANGES[datatype];
  const [from, to] = within === null ? [range.from, range.to] : [Math.max(range.from, within.from), Math.min(range.to, within.to)];
  const isWhole = range.whole || (within?.whole ?? false);
  let at = offset;

  const flat = (values: ArrayLike<unknown>): void => {
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index];
      if (typeof value !== 'number' || !(value >= from && value <= to) || (isWhole && !Number.isInteger(value))) {
        throw new ServingError(422, `Input "${name}", value ${(at - offset) / stride}: ${printed(value)} is not ${isWhole ? 'a whole number' : 'a number'} from ${from} to ${to} (${datatype}).`);
      }
      target[at] = value;
      at += stride;
    }
  };
  const nested = (values: readonly unknown[], depth: number): void => {
    if (values.length !== shape[depth]) throw new ServingError(422, `Input "${name}": nested data has ${values.length} elements where its shape [${shape.join(', ')}] says ${shape[depth]}.`);
    if (depth === shape.length - 1) return flat(values);
    for (const part of values) {
      if (!Array.isArray(part)) throw new ServingError(422, `Input "${name}": data is nested less deeply than its shape [${shape.join(', ')}].`);
      nested(part, depth + 1);
    }
  };

  if (shape.length > 1 && Array.isArray(data) && Array.isArray(data[0])) return nested(data, 0);
  if (data.length !== elementsOf(shape)) throw new ServingError(422, `Input "${name}" has ${data.length} values where its shape [${shape.join(', ')}] says ${elementsOf(shape)}.`);
  // Every byte is a whole number from 0 to 255: nothing is left to check.
  if (data instanceof Uint8Array && target instanceof Uint8Array && stride === 1 && from <= 0 && to >= 255) target.set(data, offset);
  else flat(data);
}

/** The values of a column's input, one a row: flat, or each in an array of its own. What came as bytes, or as `{"b64": …}`, is text. */
export function valuesOf({ name, datatype, data, shape }: InferenceInput): readonly unknown[] {
  if (!Array.isArray(data) && !isTyped(data)) throw new ServingError(400, `inputs "${name}": data must be an array`);
  const rows: readonly unknown[] = Array.from(data);
  const values = shape.length > 1 && rows.length === shape[0] && rows.every(Array.isArray) ? rows.flat() : rows;
  if (values.length !== elementsOf(shape)) throw new ServingError(422, `Input "${name}" has ${values.length} values where its shape [${shape.join(', ')}] says ${elementsOf(shape)}.`);
  return datatype === 'BYTES' ? values.map((value, row) => textOf(value, name, row)) : values;
}

function textOf(value: unknown, name: string, row: number): unknown {
  const bytes = bytesOf(value);
  if (bytes === null) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ServingError(422, `Input "${name}", value ${row}: its bytes are not text in UTF-8.`);
  }
}

/** Whether a number is one of the datatype's; null where the datatype is none of numbers. */
export function isInRange(datatype: Datatype, value: number): boolean | null {
  if (!isNumeric(datatype)) return null;
  const range: Range = RANGES[datatype];
  return value >= range.from && value <= range.to && (!range.whole || Number.isInteger(value));
}

/** A value of a request as messages show it: its beginning. */
export function printed(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 40) ?? 'nothing';
  } catch (error) {
    if (error instanceof RangeError) return 'a list of lists without end'; // nested more deeply than the stack is
    throw error;
  }
}

/** A tensor that came as bytes. */
const isTyped = (data: unknown): data is ArrayLike<unknown> => ArrayBuffer.isView(data) && 'length' in data;
