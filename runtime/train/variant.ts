import type { TrainedVariant } from '../../definition/compression.js';
import type { ModelDefinition } from '../../definition/model.js';
import type { Training } from '../../definition/training.js';
import type { LayersModel } from '../tensorflow.js';
import { openStoredLayers, openStoredNetwork } from '../stored-network.js';
import { distillation } from './distil.js';
import type { TrainStep } from './fit.js';
import { buildNetwork } from './network.js';
import type { NetworkInput } from './network.js';
import { pruning } from './prune.js';

/** A training's settings as a variant has them. */
export function trainingOf(training: Training, variant: TrainedVariant | undefined): Training {
  if (!variant) return training;
  const { learningRate = training.optimizer.learningRate, epochs } = variant;
  return { ...training, epochs, optimizer: { ...training.optimizer, learningRate } };
}

/** The network of a variant, and what it is trained by: `begin` is called once it is compiled, before a checkpoint is loaded into it. */
export async function openVariant(input: NetworkInput, { variant, full }: { readonly variant: TrainedVariant; readonly full: string }): Promise<{ readonly model: LayersModel; readonly begin: () => TrainStep }> {
  const { tf, definition } = input;
  switch (variant.kind) {
    case 'prune': {
      const model = await openStoredLayers(tf, full);
      return { model, begin: () => pruning(tf, model, variant.share) };
    }
    case 'distil': {
      const teacher = await openStoredNetwork(tf, full);
      const model = await buildNetwork({ ...input, definition: studentOf(definition, variant) });
      return { model, begin: () => distillation({ tf, student: model, teacher, definition, variant }) };
    }
  }
}

/** The definition with the smaller network in the place of its own. */
function studentOf(definition: ModelDefinition, { network }: Extract<TrainedVariant, { kind: 'distil' }>): ModelDefinition {
  if ('layers' in network) return { ...definition, network };
  return { ...definition, training: { ...definition.training, hyperparameters: { ...definition.training.hyperparameters, ...network.hyperparameters } } };
}
