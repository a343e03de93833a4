import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Two numbers times this matrix (by input, then by output), then a softmax: what every network here computes. */
export const MATRIX = [0.5, -0.25, 0.125, 1] as const;

export function probabilitiesOf([a, b]: readonly [number, number]): [number, number] {
  const [no, yes] = [Math.exp(a * MATRIX[0] + b * MATRIX[2]), Math.exp(a * MATRIX[1] + b * MATRIX[3])];
  return [no / (no + yes), yes / (no + yes)];
}

const floats = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const dense = { class_name: 'Dense', config: { name: 'dense', units: 2, activation: 'softmax', use_bias: false, batch_input_shape: [null, 2] } };

/** A layers model as TensorFlow.js saves it, its weights in two files. `change` alters its one layer. */
export function writeLayersModel(folder: string, change: { readonly class_name?: string; readonly config?: Readonly<Record<string, unknown>> } = {}, values: readonly number[] = MATRIX, shape: readonly number[] = [2, 2]): string {
  mkdirSync(folder, { recursive: true });
  const layer = { ...dense, ...change, config: { ...dense.config, ...change.config } };
  const bytes = floats(values);
  writeFileSync(join(folder, 'a.bin'), bytes.subarray(0, 6));
  writeFileSync(join(folder, 'b.bin'), bytes.subarray(6));
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'layers-model', modelTopology: { class_name: 'Sequential', config: { name: 'given', layers: [layer] } }, weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights: [{ name: 'dense/kernel', shape, dtype: 'float32' }] }] }));
  return folder;
}

/** A graph model as TensorFlow's converter writes it; `last` is the operation that gives the output. */
export function writeGraphModel(folder: string, last = 'Softmax'): string {
  mkdirSync(folder, { recursive: true });
  const float = { type: 'DT_FLOAT' };
  const sizes = (...dim: number[]) => ({ shape: { dim: dim.map((size) => ({ size: String(size) })) } });
  const node = [
    { name: 'rows', op: 'Placeholder', attr: { dtype: float, shape: sizes(-1, 2) } },
    { name: 'matrix', op: 'Const', attr: { dtype: float, value: { tensor: { dtype: 'DT_FLOAT', tensorShape: sizes(2, 2).shape } } } },
    { name: 'product', op: 'MatMul', input: ['rows', 'matrix'], attr: { T: float, transpose_a: { b: false }, transpose_b: { b: false } } },
    { name: 'answer', op: last, input: ['product'], attr: { T: float } },
  ];
  writeFileSync(join(folder, 'weights.bin'), floats(MATRIX));
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'graph-model', modelTopology: { node, library: {}, versions: { producer: 1000 } }, weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'matrix', shape: [2, 2], dtype: 'float32' }] }] }));
  return folder;
}

interface Message { serializeBinary(): Uint8Array }
type Setters = Record<string, (...given: unknown[]) => unknown> & Message;
const set = (message: Setters, values: Readonly<Record<string, unknown>>): Setters => {
  for (const [name, value] of Object.entries(values)) message[name]?.(value);
  return message;
};

/** A SavedModel without variables, from TensorFlow's own messages. */
export function writeSavedModel(folder: string): string {
  mkdirSync(join(folder, 'variables'), { recursive: true });
  const require = createRequire(import.meta.url);
  const proto = require('@tensorflow/tfjs-node/dist/proto/api_pb.js') as Record<string, new () => Setters> & { TensorShape: { new (): Setters; Dim: new () => Setters }; MetaGraphDef: { new (): Setters; MetaInfoDef: new () => Setters } };
  const make = (name: string, values: Readonly<Record<string, unknown>> = {}) => set(new (proto[name] as new () => Setters)(), values);
  const FLOAT = 1;
  const shape = (...sizes: number[]) => make('TensorShape', { setDimList: sizes.map((size) => set(new proto.TensorShape.Dim(), { setSize: size })) });
  const node = (name: string, op: string, inputs: readonly string[], attributes: Readonly<Record<string, Setters>>) => {
    const made = make('NodeDef', { setName: name, setOp: op, setInputList: inputs });
    const map = made['getAttrMap']?.() as { set(key: string, value: Setters): void };
    for (const [key, value] of Object.entries(attributes)) map.set(key, value);
    return made;
  };
  const float = make('AttrValue', { setType: FLOAT });
  const graph = make('GraphDef', { setVersions: make('VersionDef', { setProducer: 1000 }), setNodeList: [
    node('rows', 'Placeholder', [], { dtype: float, shape: make('AttrValue', { setShape: shape(-1, 2) }) }),
    node('matrix', 'Const', [], { dtype: float, value: make('AttrValue', { setTensor: make('Tensor', { setDtype: FLOAT, setTensorShape: shape(2, 2), setFloatValList: [...MATRIX] }) }) }),
    node('product', 'MatMul', ['rows', 'matrix'], { T: float }),
    node('answer', 'Softmax', ['product'], { T: float }),
  ] });
  const signature = make('SignatureDef', { setMethodName: 'tensorflow/serving/predict' });
  const ports = (name: string) => signature[name]?.() as { set(key: string, value: Setters): void };
  ports('getInputsMap').set('rows', make('TensorInfo', { setName: 'rows:0', setDtype: FLOAT, setTensorShape: shape(-1, 2) }));
  ports('getOutputsMap').set('answer', make('TensorInfo', { setName: 'answer:0', setDtype: FLOAT, setTensorShape: shape(-1, 2) }));
  const meta = make('MetaGraphDef', { setGraphDef: graph, setMetaInfoDef: set(new proto.MetaGraphDef.MetaInfoDef(), { setTagsList: ['serve'] }) });
  (meta['getSignatureDefMap']?.() as { set(key: string, value: Setters): void }).set('serving_default', signature);
  writeFileSync(join(folder, 'saved_model.pb'), make('SavedModel', { setSavedModelSchemaVersion: 1, setMetaGraphsList: [meta] }).serializeBinary());
  return folder;
}
