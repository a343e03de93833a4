import type { ProfileRefs, SnapshotProfile } from '../../../contract/data-profile.js';
import { canonicalJson } from '../../../domain/canonical.js';
import { summarize } from '../../../domain/profile/summary.js';
import type { ActivityDeps } from '../../deps.js';
import { putJson } from '../../../stores/json-objects.js';
import { profilePage } from './page.js';

/** Stores a profile, what people read of it and its page, beside the snapshot's manifest: the same rows give the same three. */
export async function saveProfile({ artifacts }: Pick<ActivityDeps, 'artifacts'>, { model, snapshot, profile }: { model: string; snapshot: string; profile: SnapshotProfile }): Promise<ProfileRefs> {
  const summary = summarize(profile.profile);
  const [data, json, html] = await Promise.all([
    putJson(artifacts, profile),
    artifacts.putAt(`snapshots/${snapshot}/profile.json`, new TextEncoder().encode(canonicalJson(summary)), { contentType: 'application/json' }),
    artifacts.putAt(`snapshots/${snapshot}/profile.html`, new TextEncoder().encode(profilePage(`${model}, snapshot ${snapshot.slice(0, 12)}`, summary)), { contentType: 'text/html; charset=utf-8' }),
  ]);
  return { data, json, html };
}
