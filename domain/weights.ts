import type { WeightsComparison } from '../contract/reproduction.js';
import { valueOfHalf } from './half.js';

/** How TensorFlow.js stores a tensor in fewer bits: a value is `code * scale + min`, or a 16-bit float. */
export type Quantization = { readonly dtype: 'float16'; readonly original_dtype: 'float32' } | { readonly dtype: 'uint8'; readonly scale: number; readonly min: number; readonly original_dtype: 'float32' };

/** One tensor of a `weights.bin`, in the order of the bytes. Every value is a 32-bit float unless `dtype` says otherwise, or it is quantized. */
export interface WeightSpec { readonly name: string; readonly shape: readonly number[]; readonly dtype: string; readonly quantization?: Quantization | undefined }
export interface Weights { readonly specs: readonly WeightSpec[]; readonly bytes: Uint8Array }

const MOST_TENSORS = 10;
const sizeOf = ({ shape }: WeightSpec) => shape.reduce((product, length) => product * length, 1);

/**
 * How the weights of two trainings differ, value by value. Networks of another build cannot be compared: then `largest` is null and every
 * value counts as different. Two values that are both not a number are equal.
 */
export function compareWeights(then: Weights, now: Weights): WeightsComparison {
  const values = then.specs.reduce((sum, spec) => sum + sizeOf(spec), 0);
  const sameBuild = then.bytes.byteLength === now.bytes.byteLength && JSON.stringify(then.specs.map(buildOf)) === JSON.stringify(now.specs.map(buildOf));
  if (!sameBuild) return { identical: false, values, differing: values, largest: null, tensors: [] };
  const tensors: WeightsComparison['tensors'] = [];
  let at = 0;
  for (const [index, spec] of then.specs.entries()) {
    const bytes = sizeOf(spec) * bytesOfValue(spec);
    const { differing, largest } = differ(valuesOf(then.bytes, at, bytes, spec), valuesOf(now.bytes, at, bytes, now.specs[index] ?? spec));
    if (differing > 0) tensors.push({ name: spec.name, differing, largest });
    at += bytes;
  }
  const largest = tensors.reduce<number | null>((most, tensor) => (most === null || tensor.largest === null ? null : Math.max(most, tensor.largest)), 0);
  return {
    identical: tensors.length === 0, values, differing: tensors.reduce((sum, tensor) => sum + tensor.differing, 0), largest,
    tensors: tensors.toSorted((a, b) => (b.largest ?? Infinity) - (a.largest ?? Infinity)).slice(0, MOST_TENSORS),
  };
}

/** Names carry numbers that count layers of a process: what is built is told by shapes and types. */
const buildOf = ({ shape, dtype, quantization }: WeightSpec) => ({ shape, dtype, ...(quantization ? { form: quantization.dtype } : {}) });

function bytesOfValue({ dtype, quantization }: WeightSpec): number {
  if (quantization) return quantization.dtype === 'uint8' ? 1 : 2;
  return dtype === 'bool' ? 1 : 4;
}

function valuesOf(bytes: Uint8Array, at: number, length: number, { dtype, quantization }: WeightSpec): ArrayLike<number> {
  const { buffer: own } = new Uint8Array(bytes.subarray(at, at + length)); // a copy also of a Buffer, whose `slice` is none
  if (quantization?.dtype === 'uint8') return Float32Array.from(new Uint8Array(own), (code) => code * quantization.scale + quantization.min);
  if (quantization) return Float32Array.from(new Uint16Array(own), valueOfHalf);
  if (dtype === 'bool') return new Uint8Array(own);
  return dtype === 'int32' ? new Int32Array(own) : new Float32Array(own);
}

function differ(then: ArrayLike<number>, now: ArrayLike<number>): { differing: number; largest: number | null } {
  let differing = 0;
  let largest: number | null = 0;
  for (let index = 0; index < then.length; index += 1) {
    const [before = NaN, after = NaN] = [then[index], now[index]];
    if (Object.is(before, after)) continue;
    differing += 1;
    const distance = Math.abs(before - after);
    largest = largest === null || !Number.isFinite(distance) ? null : Math.max(largest, distance);
  }
  return { differing, largest };
}
