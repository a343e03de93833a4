import type { GraphModel, LayersModel, Tensor, TensorFlow } from './tensorflow.js';

/** What predicting needs of TensorFlow: tfjs-node has it, and so has TensorFlow.js in a browser. */
export type AnyTensorFlow = Pick<TensorFlow, 'Sequential' | 'io' | 'loadGraphModel' | 'loadLayersModel' | 'tensor' | 'tidy'>;

/** `model.json` of a package: the network, and what lies where in `weights.bin`, which may be compressed as a whole. Without a format: layers. */
export interface NetworkFile { readonly format?: string; readonly weightsEncoding?: 'gzip'; readonly modelTopology: object; readonly weightsManifest: readonly { readonly weights: never[] }[] }

/** An input or output of a network; a number of its shape is null, or below 0, where any will do. */
export interface Port { readonly name: string; readonly shape?: readonly (number | null)[] | undefined; readonly dtype: string }

/** A network that can be run, whatever it came as. */
export interface Network {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Of a batch; the tensors between are the caller's to tidy. */
  readonly run: (inputs: Tensor) => Tensor;
  /** The same by operations of which TensorFlow.js may know gradients; null where it knows none: of graphs, whose tensors are disposed of on the way, and of SavedModels. */
  readonly traced: ((inputs: Tensor) => Tensor) | null;
  readonly dispose: () => void;
}

/** Opens the network of a `model.json`: layers, or a graph as TensorFlow's converter writes it. */
export async function openNetwork(tf: AnyTensorFlow, file: NetworkFile, weights: Uint8Array): Promise<Network> {
  const source = await sourceOf(tf, file, weights);
  if (file.format === 'graph-model') return ofGraph(await tf.loadGraphModel(source));
  return ofLayers(tf, await tf.loadLayersModel(source));
}

/** The layers of a `model.json`, to be trained on. */
export async function openLayers(tf: AnyTensorFlow, file: NetworkFile, weights: Uint8Array): Promise<LayersModel> {
  return tf.loadLayersModel(await sourceOf(tf, file, weights));
}

async function sourceOf(tf: AnyTensorFlow, { weightsManifest, weightsEncoding, ...file }: NetworkFile, weights: Uint8Array) {
  const weightData = weightsEncoding === 'gzip' ? await inflated(weights) : bufferOf(weights);
  return tf.io.fromMemory({ ...file, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData });
}

/** By what Node and browsers have alike. */
function inflated(bytes: Uint8Array): Promise<ArrayBuffer> {
  return new Response(new Blob([bufferOf(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

function ofLayers(tf: AnyTensorFlow, network: LayersModel): Network {
  const run = forwardPass(tf, network);
  const traced = network instanceof tf.Sequential ? run : (inputs: Tensor) => onlyTensor(network.apply(inputs, { training: false }) as Tensor | Tensor[]);
  return { inputs: network.inputs, outputs: network.outputs, run, traced, dispose: () => { network.dispose(); } };
}

function ofGraph(network: GraphModel): Network {
  return { inputs: network.inputs, outputs: network.outputs, run: (inputs) => onlyTensor(network.predict(inputs)), traced: null, dispose: () => { network.dispose(); } };
}

/** What a network with one output gives. */
export function onlyTensor(given: Tensor | Tensor[] | Record<string, Tensor>): Tensor {
  const tensors = 'dataSync' in given ? [given as Tensor] : Object.values(given);
  const [only, ...more] = tensors;
  if (!only || more.length > 0) throw new TypeError(`the network has ${tensors.length} outputs; it has to have one`);
  return only;
}

/** A sequential network is called layer by layer: `predict` slices and joins around that, which a single row feels. */
function forwardPass(tf: AnyTensorFlow, network: LayersModel): (inputs: Tensor) => Tensor {
  if (!(network instanceof tf.Sequential)) return (inputs) => onlyTensor(network.predictOnBatch(inputs));
  return (inputs) => network.layers.reduce((tensor, layer) => layer.apply(tensor, { training: false }) as Tensor, inputs);
}
