import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import type { ModelFormat } from '../../contract/imported.js';
import type { NetworkFile } from '../network.js';
import { SAVED_MODEL } from '../stored-network.js';
import type { TensorFlow } from '../tensorflow.js';

interface ModelJson { readonly format?: string; readonly modelTopology?: object; readonly weightsManifest?: readonly { readonly paths: readonly string[]; readonly weights: never[] }[] }

export const unreadable = (problem: string, cause?: unknown) => new PerennialError('import/unreadable', problem, {}, { cause });

/** Writes the files of a network as packages hold them: `model.json` and one `weights.bin`, or the folder of a SavedModel. Throws `import/unreadable`. */
export async function writeNetwork(tf: TensorFlow, format: ModelFormat, from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  if (format === 'saved-model') {
    await cp(from, join(to, SAVED_MODEL), { recursive: true });
    return;
  }
  const { weightsManifest, modelTopology, ...rest } = await readModelJson(join(from, 'model.json'));
  if (!modelTopology || !weightsManifest) throw unreadable('model.json: modelTopology and weightsManifest are needed, as TensorFlow.js writes them');
  if (format === 'tfjs-layers') refuseCustomLayers(tf, modelTopology);
  const shards = await Promise.all(weightsManifest.flatMap(({ paths }) => paths).map((path) => readFile(inside(from, path)).catch((cause: unknown) => { throw unreadable(`model.json names ${path}, which was not given`, cause); })));
  await writeFile(join(to, 'weights.bin'), Buffer.concat(shards));
  const file: NetworkFile = { ...rest, format: format === 'tfjs-graph' ? 'graph-model' : 'layers-model', modelTopology, weightsManifest: [{ weights: weightsManifest.flatMap(({ weights }) => weights) }] };
  await writeFile(join(to, 'model.json'), JSON.stringify(file));
}

async function readModelJson(path: string): Promise<ModelJson> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ModelJson;
  } catch (cause) {
    throw unreadable(`model.json cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function inside(folder: string, path: string): string {
  if (normalize(path).startsWith('..') || path.startsWith('/')) throw unreadable(`model.json names ${path}, which lies outside its folder`);
  return join(folder, path);
}

/** All at once, which TensorFlow would name one after another. */
function refuseCustomLayers(tf: TensorFlow, topology: object): void {
  const known = tf.serialization.SerializationMap.getMap().classNameMap;
  const unknown = [...new Set(layerClasses(topology))].filter((name) => !(name in known));
  if (unknown.length > 0) throw unreadable(`the network has layers that TensorFlow.js does not have: ${unknown.join(', ')}. Custom layers cannot be imported; a SavedModel holds what they compute`);
}

/** Classes of all layers, in Keras's or TensorFlow.js's own spelling, also of networks inside networks. */
function layerClasses(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(layerClasses);
  if (typeof value !== 'object' || value === null) return [];
  const { layers, config, model_config: model, layer } = value as Readonly<Record<string, unknown>>;
  const own = Array.isArray(layers) ? layers.flatMap((one: unknown) => (typeof one === 'object' && one !== null && 'class_name' in one && typeof one.class_name === 'string' ? [one.class_name] : [])) : [];
  return [...own, ...[layers, config, model, layer].flatMap(layerClasses)];
}
