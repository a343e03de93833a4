/** The public API: what a team's repository imports as `perennial`. */
export { defineFeatureView, defineModel, layers, secret } from './define.js';
export { expect } from './expect.js';
export type { BuildNetwork, DefinedFeatureView, DefinedModel, NetworkContext } from './define.js';
export type { ModelDefinition, ModelDefinitionInput } from './model.js';
export type { FeatureView, FeatureViewInput } from './feature-view.js';
