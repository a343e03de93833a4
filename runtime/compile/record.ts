import type { Tensor, TensorFlow } from '../tensorflow.js';

/** Why a network cannot be compiled: it is run as it is. */
export class NotCompilable extends Error { override readonly name = 'NotCompilable' }

/** Kinds of attributes, by the name of tfjs-node's constant for each. */
const KINDS = { string: 'TF_ATTR_STRING', int: 'TF_ATTR_INT', float: 'TF_ATTR_FLOAT', bool: 'TF_ATTR_BOOL', type: 'TF_ATTR_TYPE', shape: 'TF_ATTR_SHAPE' } as const;
export type AttributeKind = keyof typeof KINDS;
/** `value`: what the kind says, or a list of it; a type is a number of TensorFlow's `DataType`. */
export interface Attribute { readonly name: string; readonly kind: AttributeKind; readonly value: unknown }

/** TensorFlow's `DataType` of what tensors hold here. */
export const DATA_TYPES = { float32: 1, int32: 3, bool: 10 } as const;
export type DataType = (typeof DATA_TYPES)[keyof typeof DATA_TYPES];

/** The most of them. */
const BYTES_EACH = 4;

/** Values that are there before the network is asked, or follow from nothing but the number of rows; little-endian, row by row. */
export interface Constant { readonly type: DataType; readonly shape: readonly number[]; readonly bytes: Uint8Array }

/** Where a tensor comes from. */
export type Source = { readonly shape: readonly number[] } & (
  | { readonly of: 'input' }
  | { readonly of: 'operation'; readonly index: number; readonly output: number }
  | { readonly of: 'constant'; readonly constant: Constant });

/** One of TensorFlow's own operations. */
export interface Operation { readonly op: string; readonly attributes: readonly Attribute[]; readonly inputs: readonly Source[] }

/** What TensorFlow was asked to do for a batch, in its order, and what came of it. */
export interface Recording { readonly operations: readonly Operation[]; readonly output: Source; readonly values: Float32Array }

type Attributes = readonly { readonly name: string; readonly type: number; readonly value: unknown }[];
/** What lies below the layers of tfjs-node: whatever they compute goes through these. */
interface Backend {
  readonly binding: Readonly<Record<string, unknown>>;
  executeSingleOutput(op: string, attributes: Attributes, inputs: Tensor[]): Tensor;
  executeMultipleOutputs(op: string, attributes: Attributes, inputs: Tensor[], outputs: number): Tensor[];
}

/** Runs a network on `values` of a batch of this shape, and writes down the operations. `constants` keeps what was read, for another recording, up to `limitBytes`. Throws NotCompilable where something is no tensor that a graph could hold. */
export function recordOperations(tf: TensorFlow, run: (inputs: Tensor) => Tensor, { values, sizes, constants, limitBytes }: { readonly values: Float32Array; readonly sizes: readonly number[]; readonly constants: Map<object, Constant>; readonly limitBytes: number }): Recording {
  const backend = tf.backend() as unknown as Backend;
  const single = backend.executeSingleOutput.bind(backend);
  const multiple = backend.executeMultipleOutputs.bind(backend);
  const operations: Operation[] = [];
  const made = new Map<object, Source>();

  const sourceOf = (tensor: Tensor): Source => {
    // What tfjs-node hands on as a 64-bit integer is no tensor.
    if (!('dataId' in tensor)) throw new NotCompilable('an operation takes a number that is no tensor');
    const known = made.get(tensor.dataId);
    if (!known) return { of: 'constant', shape: tensor.shape, constant: constantOf(tensor) };
    if (known.shape.join() !== tensor.shape.join()) throw new NotCompilable('a tensor was given another shape without an operation');
    return known;
  };
  const constantOf = (tensor: Tensor): Constant => {
    const kept = constants.get(tensor.dataId);
    if (kept) return kept;
    const type = Object.hasOwn(DATA_TYPES, tensor.dtype) ? DATA_TYPES[tensor.dtype as keyof typeof DATA_TYPES] : null;
    if (type === null) throw new NotCompilable(`an operation takes a constant of type ${tensor.dtype}`);
    const bytes = [...constants.values()].reduce((sum, one) => sum + one.bytes.byteLength, 0) + tensor.size * BYTES_EACH;
    if (bytes > limitBytes) throw new NotCompilable(`its weights have more than ${limitBytes} bytes`);
    const { buffer, byteOffset, byteLength } = tensor.dataSync();
    const constant: Constant = { type, shape: tensor.shape, bytes: new Uint8Array(buffer, byteOffset, byteLength).slice() };
    constants.set(tensor.dataId, constant);
    return constant;
  };
  const write = (op: string, attributes: Attributes, inputs: readonly Tensor[], ask: () => Tensor[]): Tensor[] => {
    const sources = inputs.map(sourceOf);
    const outputs = ask();
    const index = operations.push({ op, attributes: attributes.map((attribute) => attributeOf(backend, attribute)), inputs: sources }) - 1;
    outputs.forEach((tensor, output) => made.set(tensor.dataId, { of: 'operation', index, output, shape: tensor.shape }));
    return outputs;
  };

  backend.executeSingleOutput = (op, attributes, inputs) => {
    const [output] = write(op, attributes, inputs, () => [single(op, attributes, inputs)]);
    return output as Tensor;
  };
  backend.executeMultipleOutputs = (op, attributes, inputs, outputs) => write(op, attributes, inputs, () => multiple(op, attributes, inputs, outputs));
  const input = tf.tensor(values, [...sizes]);
  made.set(input.dataId, { of: 'input', shape: sizes });
  try {
    const result = tf.tidy(() => run(input));
    const recording = { operations, output: sourceOf(result), values: result.dataSync() as Float32Array };
    result.dispose();
    return recording;
  } finally {
    input.dispose();
    // From here on those of the class again.
    Reflect.deleteProperty(backend, 'executeSingleOutput');
    Reflect.deleteProperty(backend, 'executeMultipleOutputs');
  }
}

function attributeOf({ binding }: Backend, { name, type, value }: Attributes[number]): Attribute {
  const kind = (Object.keys(KINDS) as AttributeKind[]).find((one) => binding[KINDS[one]] === type);
  if (kind === undefined) throw new NotCompilable(`an operation has an attribute of a kind that is not known: ${name}`);
  return { name, kind, value };
}
