import { digestOf, sha256Hex } from '../../domain/digest.js';
import { TRAINING_FIELDS } from '../../definition/model.js';
import type { ModelDefinition } from '../../definition/model.js';

/** The digest over what changes the weights: the training fields and the bundled network module. */
export function trainingDigest(definition: ModelDefinition, networkBundle: Uint8Array | null): string {
  const fields = Object.fromEntries(TRAINING_FIELDS.map((field) => [field, definition[field]]));
  return digestOf({ ...fields, networkBundle: networkBundle ? sha256Hex(networkBundle) : null });
}

/** The digest over the rest: what a commit may change without training. */
export function policyDigest(definition: ModelDefinition): string {
  const training: readonly string[] = TRAINING_FIELDS;
  return digestOf(Object.fromEntries(Object.entries(definition).filter(([field]) => !training.includes(field))));
}
