import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onlyTensor, openLayers, openNetwork } from './network.js';
import type { Network, NetworkFile, Port } from './network.js';
import type { LayersModel, TensorFlow } from './tensorflow.js';

/** Folder of a SavedModel in a model directory or a package; without it there are `model.json` and `weights.bin`. */
export const SAVED_MODEL = 'saved_model';

export function hasSavedModel(directory: string): boolean {
  return existsSync(join(directory, SAVED_MODEL));
}

/** Opens the network in a model directory or a package, of whatever form. */
export async function openStoredNetwork(tf: TensorFlow, directory: string): Promise<Network> {
  if (hasSavedModel(directory)) return openSavedModel(tf, join(directory, SAVED_MODEL));
  return openNetwork(tf, ...await readNetwork(directory));
}

/** The layers in a model directory, to be trained on. */
export async function openStoredLayers(tf: TensorFlow, directory: string): Promise<LayersModel> {
  return openLayers(tf, ...await readNetwork(directory));
}

async function readNetwork(directory: string): Promise<[NetworkFile, Uint8Array]> {
  return [JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as NetworkFile, await readFile(join(directory, 'weights.bin'))];
}

/** The graph `serve` with the signature `serving_default`, as TensorFlow Serving takes them. TensorFlow itself runs it. */
export async function openSavedModel(tf: TensorFlow, folder: string): Promise<Network> {
  const network = await tf.node.loadSavedModel(folder, ['serve'], 'serving_default');
  return { inputs: network.inputs.map(portOf), outputs: network.outputs.map(portOf), run: (inputs) => onlyTensor(network.predict(inputs)), traced: null, dispose: () => { network.dispose(); } };
}

/** tfjs-node gives the sizes of a SavedModel's tensors as TensorFlow's own messages, whatever its types say. */
function portOf({ name, shape, dtype }: Port): Port {
  const sizes = (shape ?? []) as unknown as readonly { getSize(): number }[];
  return { name, dtype, shape: sizes.map((size) => size.getSize()) };
}
