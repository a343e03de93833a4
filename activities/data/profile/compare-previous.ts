import { SnapshotProfile } from '../../../contract/data-profile.js';
import type { DataProfile } from '../../../contract/data-profile.js';
import type { Data } from '../../../definition/data.js';
import { compareProfiles } from '../../../domain/profile/compare.js';
import type { ActivityDeps } from '../../deps.js';
import { readJson } from '../../../stores/json-objects.js';
import type { Findings } from '../findings.js';

/** Snapshots that are looked through for one with a profile. */
const EARLIER = 10;

/** Holds rows against the model's newest snapshot, where the definition asks for it. Rows that are a snapshot already are not compared: they were. */
export async function compareWithPrevious({ stores, artifacts }: ActivityDeps, { model, data, profile, findings }: { model: string; data: Data; profile: DataProfile; findings: Findings }): Promise<void> {
  if (!data.comparison) return;
  const previous = (await stores.snapshots.listFor(model, EARLIER)).find((snapshot) => snapshot.profile !== null && !snapshot.blocked);
  if (!previous?.profile) return;
  const before = SnapshotProfile.parse(await readJson(artifacts, previous.profile.data)).profile;
  findings.addComparison(previous.digest, compareProfiles(before, profile, data.comparison));
}
