import { digestOf, sha256Hex } from '../../domain/digest.js';
import { typedColumns } from '../../definition/columns.js';
import { CONTENT_FIELDS } from '../../definition/feature-view.js';
import type { FeatureView } from '../../definition/feature-view.js';
import { TRAINING_FIELDS } from '../../definition/model.js';
import { replacingActions } from '../../definition/personal.js';
import type { ModelDefinition } from '../../definition/model.js';

/** The digest over what changes the weights: the training fields, but for what only judges the rows, and the bundled network module. */
export function trainingDigest(definition: ModelDefinition, networkBundle: Uint8Array | null): string {
  const fields = Object.fromEntries(TRAINING_FIELDS.map((field) => [field, field === 'data' ? withoutPolicy(definition.data) : definition[field]]));
  return digestOf({ ...fields, networkBundle: networkBundle ? sha256Hex(networkBundle) : null });
}

/** The digest over the rest: what a commit may change without training. */
export function policyDigest(definition: ModelDefinition): string {
  const training: readonly string[] = TRAINING_FIELDS;
  const fields = Object.fromEntries(Object.entries(definition).filter(([field]) => !training.includes(field)));
  const ofData = Object.fromEntries(Object.entries(definition.data).filter(([field, value]) => POLICY_OF_DATA.includes(field) && value !== undefined));
  const origins = definition.data.sources.map(({ terms, collected }) => ({ ...(terms === undefined ? {} : { terms }), ...(collected === undefined ? {} : { collected }) }));
  return digestOf({ ...fields, ...ofData, ...(origins.some((origin) => Object.keys(origin).length > 0) ? { origins } : {}) });
}

/** What these fields say changes no weight, only whether there may be any. */
const POLICY_OF_DATA: readonly string[] = ['expectations', 'comparison', 'personalData', 'leakage'];

/** Which values are replaced changes what is learned, where the rest of `personalData` does not. */
function withoutPolicy(data: ModelDefinition['data']): Record<string, unknown> {
  const sources = data.sources.map(({ terms: _terms, collected: _collected, ...source }) => source);
  const replaced = data.kind === 'table' ? replacingActions(data) : {};
  return { ...Object.fromEntries(Object.entries({ ...data, sources }).filter(([field]) => !POLICY_OF_DATA.includes(field))), ...(Object.keys(replaced).length > 0 ? { replaced } : {}) };
}

/** The digest over what decides a feature view's rows: with another one they are materialised anew. */
export function viewDigest(view: FeatureView): string {
  const { timeout: _, ...source } = { timeout: '', ...view.source };
  const content = { ...view, source, columns: typedColumns(view.columns) };
  return digestOf(Object.fromEntries(CONTENT_FIELDS.filter((field) => content[field] !== undefined).map((field) => [field, content[field]])));
}
