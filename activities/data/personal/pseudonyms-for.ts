import { PerennialError } from '../../../contract/errors.js';
import { SnapshotManifest } from '../../../contract/snapshot.js';
import type { Data } from '../../../definition/data.js';
import { replacingActions } from '../../../definition/personal.js';
import { createPseudonyms } from '../../../runtime/personal/pseudonyms.js';
import type { Pseudonyms } from '../../../runtime/personal/pseudonyms.js';
import { readJson } from '../../../stores/json-objects.js';
import type { ActivityDeps } from '../../deps.js';
import type { Findings } from '../findings.js';
import type { BuiltRows } from '../rows.js';

/** What a definition's values are replaced with; null where it replaces none, so that no key is made for nothing. */
export async function pseudonymsFor({ pseudonymKey }: Pick<ActivityDeps, 'pseudonymKey'>, model: string, data: Data): Promise<Pseudonyms | null> {
  return data.kind === 'table' && Object.keys(replacingActions(data)).length > 0 ? createPseudonyms(await pseudonymKey(), model) : null;
}

/** The pseudonyms of the key of this name, or `data/pseudonym-key`: with another key a model would be asked of people that it does not know. */
export async function requirePseudonyms({ pseudonymKey }: Pick<ActivityDeps, 'pseudonymKey'>, model: string, key: string): Promise<Pseudonyms> {
  const pseudonyms = createPseudonyms(await pseudonymKey(), model);
  if (pseudonyms.key !== key) throw new PerennialError('data/pseudonym-key', `${model} was trained with pseudonyms of the key ${key}, this machine has the key ${pseudonyms.key}`, { model, key });
  return pseudonyms;
}

/** Reports that the newest snapshot's pseudonyms were made with another key, so that nobody's stays the same. */
export async function tellOtherKey({ stores, artifacts }: ActivityDeps, model: string, { personal }: Pick<BuiltRows, 'personal'>, findings: Findings): Promise<void> {
  const [newest] = personal ? await stores.snapshots.listFor(model, 1) : [];
  if (!personal || !newest) return;
  const before = SnapshotManifest.parse(await readJson(artifacts, newest.manifest)).content.personal;
  if (before && before.key !== personal.key) findings.add('personal-data', 'warn', `pseudonyms are made with the key ${personal.key}, those of snapshot ${newest.digest.slice(0, 12)} with the key ${before.key}: nobody keeps theirs`);
}
