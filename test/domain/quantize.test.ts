import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { bitsOfHalf, valueOfHalf } from '../../domain/half.js';
import { quantizeWeights } from '../../domain/quantize.js';
import { compareWeights } from '../../domain/weights.js';
import type { WeightSpec } from '../../domain/weights.js';
import { createSampler } from '../../domain/sampling.js';

type Decoded = Record<string, { dataSync(): Float32Array; readonly shape: number[] }>;
/** TensorFlow.js itself, which decodes what packages hold. */
const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as { io: { decodeWeights(bytes: ArrayBuffer, specs: readonly WeightSpec[]): Decoded }; setBackend(name: string): Promise<boolean> };

const tensor = (name: string, shape: number[], values: readonly number[]) => ({ spec: { name, shape, dtype: 'float32' }, values: Float32Array.from(values) });
const drawn = (count: number, of: (share: number) => number) => { const sampler = createSampler(7); return Array.from({ length: count }, () => of(sampler.below(1_000_003) / 1_000_003)); };
const TENSORS = [
  tensor('kernel', [40, 25], drawn(1000, (share) => (share - 0.3) * 0.7)),
  tensor('bias', [4], [0.1, -2, 3, 1e-7]),
  tensor('positive', [2, 50], drawn(100, (share) => 5 + share)),
  tensor('pruned', [10, 10], drawn(100, (share) => (share < 0.5 ? 0 : share - 0.9))),
  tensor('constant', [2, 2], [0.3, 0.3, 0.3, 0.3]),
  tensor('zero', [1, 3], [0, 0, 0]),
  tensor('large', [1, 2], [1e5, 1]),
];
/** A Buffer, as files and objects are read: a view of memory that holds more. */
const weights = { specs: TENSORS.map(({ spec }) => spec), bytes: Buffer.concat(TENSORS.map(({ values }) => new Uint8Array(values.buffer))) };

async function decode(form: 'float16' | 'uint8'): Promise<{ quantized: ReturnType<typeof quantizeWeights>; values: (name: string) => Float32Array }> {
  await tf.setBackend('cpu');
  const quantized = quantizeWeights(weights, form);
  const found = tf.io.decodeWeights(quantized.bytes.buffer as ArrayBuffer, quantized.specs);
  return { quantized, values: (name) => found[name]?.dataSync() ?? new Float32Array() };
}

test('weights of 8 bits are decoded by TensorFlow.js to within half a step, zeros to zeros; biases stay', async () => {
  const { quantized, values } = await decode('uint8');
  for (const { spec, values: before } of TENSORS) {
    const form = quantized.specs.find(({ name }) => name === spec.name)?.quantization;
    const after = values(spec.name);
    expect(after.length).toBe(before.length);
    const step = form?.dtype === 'uint8' && spec.name !== 'constant' && spec.name !== 'zero' ? form.scale : 0;
    const furthest = Math.max(...before.map((value, at) => Math.abs(value - (after[at] ?? NaN))));
    expect([spec.name, furthest <= step / 2 * (1 + 1e-5) + 1e-7 * Math.max(...before)]).toEqual([spec.name, true]);
    before.forEach((value, at) => { if (value === 0) expect(after[at]).toBe(0); });
  }
  expect(quantized.specs.map(({ quantization }) => quantization?.dtype ?? null)).toEqual(['uint8', null, 'uint8', 'uint8', 'uint8', 'uint8', 'uint8']);
  expect(quantized.bytes.byteLength).toBe(1000 + 16 + 100 + 100 + 4 + 3 + 2);
});

test('weights of 16 bits are decoded by TensorFlow.js to the nearest half; a tensor beyond their range stays', async () => {
  const { quantized, values } = await decode('float16');
  for (const { spec, values: before } of TENSORS) {
    const after = values(spec.name);
    before.forEach((value, at) => { expect(after[at]).toBe(spec.name === 'large' ? value : valueOfHalf(bitsOfHalf(value))); });
    if (spec.name !== 'large') before.forEach((value, at) => { expect(Math.abs(value - (after[at] ?? NaN))).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(value) * 2 ** -11)); });
  }
  expect(quantized.specs.at(-1)?.quantization).toBeUndefined();
});

test('every 16-bit float is its own nearest, and of two equally near the even one is', () => {
  const all = Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => !Number.isNaN(valueOfHalf(bits)));
  expect(all.map((bits) => bitsOfHalf(valueOfHalf(bits)))).toEqual(all);
  expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, 65519, 65520, 1e9, -1e-9].map((value) => bitsOfHalf(value))).toEqual([0x3c00, 0x3c02, 0, 2, 0x7bff, 0x7c00, 0x7c00, 0x8000]);
  expect(Number.isNaN(valueOfHalf(bitsOfHalf(NaN)))).toBe(true);
});

test.each(['float16', 'uint8'] as const)('quantized weights (%s) are compared by the values that they stand for', (form) => {
  const quantized = quantizeWeights(weights, form);
  expect(compareWeights(quantized, quantized)).toMatchObject({ identical: true, values: 1000 + 4 + 100 + 100 + 4 + 3 + 2 });
  const bytes = quantized.bytes.slice();
  bytes[1] = (bytes[1] ?? 0) ^ 1;
  const changed = compareWeights({ ...quantized, bytes: Buffer.from(quantized.bytes) }, { ...quantized, bytes: Buffer.from(bytes) });
  expect(changed).toMatchObject({ identical: false, differing: 1 });
  expect(changed.largest).toBeLessThan(form === 'uint8' ? 0.003 : 0.4);
  expect(compareWeights(quantized, weights)).toMatchObject({ identical: false, largest: null });
});
