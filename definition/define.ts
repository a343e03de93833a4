import type { z } from 'zod';
import type { FeatureViewInput } from './feature-view.js';
import type { ModelDefinitionInput } from './model.js';
import type { ClassTarget, NumberTarget } from './target.js';
import type { LayerSpec } from './training.js';

/** The mark by which a definition is recognised among a module's exports. */
export const DEFINITION_MARK = 'perennial/model-definition/1';

export type DefinedModel<T extends ModelDefinitionInput = ModelDefinitionInput> = T & { readonly $type: typeof DEFINITION_MARK };

/** A definition whose target is known to have classes, or to be a number: a team's tests may look at it. */
type ClassModel = ModelDefinitionInput & { readonly data: { readonly target: z.input<typeof ClassTarget> } };
type NumberModel = ModelDefinitionInput & { readonly data: { readonly target: z.input<typeof NumberTarget> } };

/**
 * Describes a model. Pure: nothing is checked here but the types; values are checked at intake, where a wrong one is
 * answered with the path of the field, what was expected and what was found.
 */
export function defineModel(definition: ClassModel): DefinedModel<ClassModel>;
export function defineModel(definition: NumberModel): DefinedModel<NumberModel>;
export function defineModel(definition: ModelDefinitionInput): DefinedModel {
  return { ...definition, $type: DEFINITION_MARK };
}

/** The mark of a feature view. */
export const VIEW_MARK = 'perennial/feature-view/1';

export type DefinedFeatureView = FeatureViewInput & { readonly $type: typeof VIEW_MARK };

/** Describes a feature view. Pure, as {@link defineModel}: its values are checked at intake. */
export function defineFeatureView(view: FeatureViewInput): DefinedFeatureView {
  return { ...view, $type: VIEW_MARK };
}

/** Names a secret that the operator keeps; a definition never holds one. */
export function secret(name: string): { $secret: string } {
  return { $secret: name };
}

type Config = Record<string, unknown>;
const layer = (className: string) => (config: Config = {}): LayerSpec => ({ className, config });

/** Layers of a sequential network, with TensorFlow's own configuration keys: `layers.conv2d({ filters: 32, kernelSize: 3 })`. */
export const layers = {
  conv2d: layer('Conv2D'),
  maxPooling2d: layer('MaxPooling2D'),
  averagePooling2d: layer('AveragePooling2D'),
  globalAveragePooling2d: layer('GlobalAveragePooling2D'),
  batchNormalization: layer('BatchNormalization'),
  dropout: layer('Dropout'),
  flatten: layer('Flatten'),
  dense: layer('Dense'),
} as const;

/** What a network module's default export receives. `seed(name)` gives a stable initialiser seed for a layer's name. */
export interface NetworkContext {
  readonly tf: unknown;
  readonly inputShape: readonly number[];
  /** Empty for a regression. */
  readonly classes: readonly string[];
  /** Units of the last layer: one for each class, or one for the number. */
  readonly outputs: number;
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  readonly seed: (name: string) => number;
}

/** The default export of `network.module`: returns a compiled-free `tf.LayersModel` that ends in one probability per class, or in the one number of a regression. */
export type BuildNetwork = (context: NetworkContext) => unknown;
