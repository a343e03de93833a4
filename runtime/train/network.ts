import { pathToFileURL } from 'node:url';
import { PerennialError } from '../../contract/errors.js';
import type { BuildNetwork } from '../../definition/define.js';
import type { ModelDefinition } from '../../definition/model.js';
import type { LayerSpec } from '../../definition/training.js';
import { classesOf } from '../../definition/target.js';
import { namedSeed } from '../prng.js';
import type { LayersModel, TensorFlow } from '../tensorflow.js';
import type { Objective } from './objective.js';

export interface NetworkInput {
  readonly tf: TensorFlow;
  readonly definition: ModelDefinition;
  /** The bundled `network.module`, or null. */
  readonly networkModule: string | null;
  readonly inputShape: readonly number[];
  readonly objective: Objective;
}

/**
 * Builds the definition's network, every initialiser seeded from the training's seed and the layer's name.
 * Anything wrong with it is `training/network`: an unknown layer, a module that throws, another shape than one probability per class, or one number.
 */
export async function buildNetwork(input: NetworkInput): Promise<LayersModel> {
  const { definition: { network }, objective } = input;
  const model = 'layers' in network ? fromLayers(input, network.layers) : await fromModule(input);
  const shape = JSON.stringify(model.outputShape);
  if (shape !== JSON.stringify([null, objective.outputs])) {
    throw new PerennialError('training/network', `the network's output has the shape ${shape}; ${neededBy(input.definition)} [null,${objective.outputs}]`, { outputShape: model.outputShape, outputs: objective.outputs });
  }
  if (model.inputs.length !== 1) throw new PerennialError('training/network', `the network has ${model.inputs.length} inputs; it has to have one`);
  return model;
}

function neededBy({ data: { target } }: ModelDefinition): string {
  return target.task === 'regression' ? 'a number needs' : `${target.classes.length} classes need`;
}

function fromLayers({ tf, definition, inputShape }: NetworkInput, specs: readonly LayerSpec[]): LayersModel {
  const model = tf.sequential({ name: definition.name });
  specs.forEach((spec, index) => {
    const known = tf.serialization.SerializationMap.getMap().classNameMap[spec.className];
    if (!known) throw new PerennialError('training/network', `network.layers[${index}]: there is no layer '${spec.className}'`, { layer: index });
    const name = typeof spec.config['name'] === 'string' ? spec.config['name'] : `${spec.className.toLowerCase()}_${index + 1}`;
    try {
      const layer = new known[0]({ ...spec.config, name, ...(index === 0 ? { inputShape } : {}) }) as Parameters<typeof model.add>[0];
      seedInitialisers(layer, definition.training.seed, name);
      model.add(layer);
    } catch (cause) {
      throw new PerennialError('training/network', `network.layers[${index}] (${spec.className}): ${cause instanceof Error ? cause.message : String(cause)}`, { layer: index }, { cause });
    }
  });
  return model;
}

/** Gives each initialiser of a layer that has a seed but no value for it one derived from the names of both. */
function seedInitialisers(layer: object, seed: number, name: string): void {
  for (const [property, initialiser] of Object.entries(layer) as [string, unknown][]) {
    if (!property.endsWith('Initializer') || typeof initialiser !== 'object' || initialiser === null || !('seed' in initialiser)) continue;
    initialiser.seed ??= namedSeed(seed, `${name}/${property}`);
  }
}

async function fromModule({ tf, definition, networkModule, inputShape, objective }: NetworkInput): Promise<LayersModel> {
  const name = 'module' in definition.network ? definition.network.module : '';
  if (networkModule === null) throw new PerennialError('training/network', `the bundle of ${name} was not given`);
  try {
    const module = await import(pathToFileURL(networkModule).href) as { default?: unknown };
    if (typeof module.default !== 'function') throw new TypeError('the default export is not a function');
    const built = await (module.default as BuildNetwork)({
      tf, inputShape, classes: classesOf(definition.data.target), outputs: objective.outputs, hyperparameters: definition.training.hyperparameters, seed: (layer) => namedSeed(definition.training.seed, layer),
    });
    if (!(built instanceof tf.LayersModel)) throw new TypeError('it did not return a tf.LayersModel');
    return built;
  } catch (cause) {
    const stack = cause instanceof Error ? (cause.stack ?? '').split('\n').slice(0, 6).join('\n') : String(cause);
    throw new PerennialError('training/network', `${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { stack }, { cause });
  }
}
