import { z } from 'zod';
import { ServingError } from '../errors.js';
import { parseJson } from './json.js';
import { Datatype } from './request.js';
import { elementsOf } from './tensor.js';

/** The header that says how long the JSON before the tensors is (Open Inference Protocol v2, extension `binary_tensor_data`). */
export const HEADER_LENGTH = 'inference-header-content-length';

const BinaryInput = z.looseObject({ name: z.string(), shape: z.array(z.int().min(0)).min(1).max(8), datatype: Datatype, parameters: z.looseObject({ binary_data_size: z.int().min(0).optional() }).optional() });
const Envelope = z.looseObject({ inputs: z.array(z.unknown()) });

/**
 * A body of JSON and tensors as the request that JSON alone would have made: each tensor becomes its input's `data`, little-endian
 * values in typed arrays, each element of BYTES as its bytes. 400 where lengths do not add up.
 */
export function parseBinaryBody(body: Buffer, headerLength: string): unknown {
  const length = /^\d{1,9}$/.test(headerLength) ? Number(headerLength) : NaN;
  if (!(length > 0 && length <= body.length)) throw new ServingError(400, `Inference-Header-Content-Length is "${headerLength.slice(0, 20)}"; it is the length of the JSON at the body's start, and the body has ${body.length} bytes.`);
  const header = Envelope.safeParse(parseJson(body.subarray(0, length)));
  if (!header.success) throw new ServingError(400, 'The JSON at the body\'s start holds no list "inputs".');
  let at = length;
  const inputs = header.data.inputs.map((one) => {
    const parsed = BinaryInput.safeParse(one);
    const size = parsed.success ? parsed.data.parameters?.binary_data_size : undefined;
    if (!parsed.success || size === undefined) return one; // JSON data, or something that the schema of requests refuses
    if (at + size > body.length) throw new ServingError(400, `Input "${parsed.data.name}" announces ${size} bytes; ${body.length - at} are left.`);
    const bytes = body.subarray(at, at + size);
    at += size;
    return { ...parsed.data, data: decodeTensor(parsed.data, bytes) };
  });
  if (at !== body.length) throw new ServingError(400, `${body.length - at} bytes follow the last tensor.`);
  return { ...header.data, inputs };
}

const BYTES_OF = { BOOL: 1, UINT8: 1, UINT16: 2, UINT32: 4, UINT64: 8, INT8: 1, INT16: 2, INT32: 4, INT64: 8, FP16: 2, FP32: 4, FP64: 8 } as const satisfies Record<Exclude<Datatype, 'BYTES'>, number>;

function decodeTensor({ name, datatype, shape }: { name: string; datatype: Datatype; shape: readonly number[] }, bytes: Buffer): ArrayLike<unknown> {
  if (datatype === 'BYTES') return decodeElements(name, bytes);
  const expected = elementsOf(shape) * BYTES_OF[datatype];
  if (bytes.length !== expected) throw new ServingError(400, `Input "${name}" has ${bytes.length} bytes where ${datatype} of shape [${shape.join(', ')}] has ${expected}.`);
  if (datatype === 'UINT8') return bytes;
  const own = new Uint8Array(bytes).buffer; // views of wider types have to start at their own multiples
  switch (datatype) {
    case 'BOOL': return Array.from(bytes, (value) => value !== 0);
    case 'INT8': return new Int8Array(own);
    case 'UINT16': return new Uint16Array(own);
    case 'INT16': return new Int16Array(own);
    case 'UINT32': return new Uint32Array(own);
    case 'INT32': return new Int32Array(own);
    case 'UINT64': return Array.from(new BigUint64Array(own), Number);
    case 'INT64': return Array.from(new BigInt64Array(own), Number);
    case 'FP16': return Array.from(new Uint16Array(own), halfToNumber);
    case 'FP32': return new Float32Array(own);
    case 'FP64': return new Float64Array(own);
  }
}

/** Each element after its length (uint32, little-endian). */
function decodeElements(name: string, bytes: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Infinity;
    if (end > bytes.length) throw new ServingError(400, `Input "${name}": element ${elements.length} is longer than what is left of the tensor.`);
    elements.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

/** IEEE 754 binary16: one sign bit, five of the exponent, ten of the fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  return exponent === 31 ? (fraction === 0 ? sign * Infinity : NaN) : sign * (1 + fraction) * 2 ** (exponent - 15);
}

interface Output { readonly name: string; readonly shape: readonly number[]; readonly datatype: 'FP32' | 'FP64' | 'BYTES'; readonly data: readonly (number | string)[] }

/** The answer with the outputs named in `binary` as tensors after the JSON; FP32, FP64 and BYTES are what models give. */
export function encodeBinaryAnswer(answer: { readonly outputs: readonly Output[] }, binary: ReadonlySet<string>): { headerLength: number; body: Buffer } {
  const tensors: Buffer[] = [];
  const outputs = answer.outputs.map((output) => {
    if (!binary.has(output.name)) return output;
    const { data, ...described } = output;
    const bytes = encodeTensor(output.datatype, data);
    tensors.push(bytes);
    return { ...described, parameters: { binary_data_size: bytes.length } };
  });
  const header = Buffer.from(JSON.stringify({ ...answer, outputs }));
  return { headerLength: header.length, body: Buffer.concat([header, ...tensors]) };
}

function encodeTensor(datatype: Output['datatype'], data: readonly (number | string)[]): Buffer {
  switch (datatype) {
    case 'FP32': return Buffer.from(Float32Array.from(data, Number).buffer);
    case 'FP64': return Buffer.from(Float64Array.from(data, Number).buffer);
    case 'BYTES': return Buffer.concat(data.flatMap((value) => {
      const text = Buffer.from(String(value));
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }));
  }
}
