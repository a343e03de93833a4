import type { Quantized } from '../definition/compression.js';
import { bitsOfHalf, LARGEST_HALF } from './half.js';
import type { Quantization, Weights, WeightSpec } from './weights.js';

const STEPS = 255;

/**
 * Weights in fewer bits, as TensorFlow.js stores and decodes them (the weights manifest's `quantization`). `float16`: every tensor of 32-bit
 * floats. `uint8`: kernels, which are tensors of two and more dimensions; biases and the statistics of batch normalisation, which are few and
 * answers hang on, stay as they are. So does a tensor with numbers that the form has not.
 */
export function quantizeWeights({ specs, bytes }: Weights, form: Quantized): Weights {
  const parts: Uint8Array[] = [];
  let at = 0;
  const quantized = specs.map((spec): WeightSpec => {
    if (spec.quantization || (spec.dtype !== 'float32' && spec.dtype !== 'int32' && spec.dtype !== 'bool')) throw new TypeError(`${spec.name} is of ${spec.quantization?.dtype ?? spec.dtype}: only weights as they were trained can be quantized`);
    const length = spec.shape.reduce((product, size) => product * size, 1) * (spec.dtype === 'bool' ? 1 : 4);
    const own = new Uint8Array(bytes.subarray(at, at + length)); // a copy in a buffer of its own, also where `bytes` is a Buffer
    at += length;
    const made = spec.dtype === 'float32' ? quantizers[form](spec, new Float32Array(own.buffer)) : null;
    parts.push(made?.bytes ?? own);
    return made ? { ...spec, quantization: made.quantization } : spec;
  });
  return { specs: quantized, bytes: joined(parts) };
}

interface Made { readonly bytes: Uint8Array; readonly quantization: Quantization }

const quantizers: Readonly<Record<Quantized, (spec: WeightSpec, values: Float32Array) => Made | null>> = {
  float16: (_spec, values) => (values.every((value) => Math.abs(value) <= LARGEST_HALF) ? { bytes: new Uint8Array(Uint16Array.from(values, bitsOfHalf).buffer), quantization: { dtype: 'float16', original_dtype: 'float32' } } : null),
  uint8: ({ shape }, values) => (shape.length >= 2 && values.every(Number.isFinite) ? affine(values) : null),
};

/**
 * 256 steps from the least to the largest value, shifted by less than one so that 0 is one of them where it is in between: pruned weights stay
 * 0. A value is at most half a step from what it is decoded to. As TensorFlow.js's own converter (quantization.py) and B. Jacob et al.,
 * "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (2018), 2.1.
 */
function affine(values: Float32Array): Made {
  const [least, most] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const made = (scale: number, min: number): Made => ({
    bytes: Uint8Array.from(values, (value) => Math.min(STEPS, Math.max(0, Math.round((value - min) / scale)))),
    quantization: { dtype: 'uint8', scale, min, original_dtype: 'float32' },
  });
  if (!(most > least)) return made(1, values.length === 0 ? 0 : least);
  const scale = (most - least) / STEPS;
  return made(scale, least <= 0 && most >= 0 ? 0 - Math.round(-least / scale) * scale : least);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
