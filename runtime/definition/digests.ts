import { digestOf, sha256Hex } from '../../domain/digest.js';
import { TRAINING_FIELDS } from '../../definition/model.js';
import type { ModelDefinition } from '../../definition/model.js';

/** The digest over what changes the weights: the training fields, but for expectations, and the bundled network module. */
export function trainingDigest(definition: ModelDefinition, networkBundle: Uint8Array | null): string {
  const fields = Object.fromEntries(TRAINING_FIELDS.map((field) => [field, field === 'data' ? withoutExpectations(definition.data) : definition[field]]));
  return digestOf({ ...fields, networkBundle: networkBundle ? sha256Hex(networkBundle) : null });
}

/** The digest over the rest: what a commit may change without training. */
export function policyDigest(definition: ModelDefinition): string {
  const training: readonly string[] = TRAINING_FIELDS;
  const fields = Object.fromEntries(Object.entries(definition).filter(([field]) => !training.includes(field)));
  return digestOf('expectations' in definition.data && definition.data.expectations ? { ...fields, expectations: definition.data.expectations } : fields);
}

/** What expectations say changes no weight, only whether there may be any. */
function withoutExpectations(data: ModelDefinition['data']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([field]) => field !== 'expectations'));
}
