/** The public API: what a team's repository imports as `perennial`. */
export { defineModel, layers, secret } from './define.js';
export { expect } from './expect.js';
export type { BuildNetwork, DefinedModel, NetworkContext } from './define.js';
export type { ModelDefinition, ModelDefinitionInput } from './model.js';
