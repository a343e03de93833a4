import { FreezeBody, FrozenParams, ModelParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { FrozenRecord } from '../../contract/frozen.js';
import type { FrozenSet } from '../../contract/frozen.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { frozenManifest, rowsOf } from '../../domain/frozen.js';
import { holdoutUse } from '../../domain/holdout-use.js';
import { readJson } from '../../stores/json-objects.js';
import type { Stores } from '../../stores/index.js';
import type { Snapshot } from '../../stores/snapshots.js';
import { findModel, findSnapshot, findVersion } from '../find.js';
import { defineRoute, READERS } from '../http/route.js';

/** Recorded at once: no row has to be read for it. The same rows under the same name again are the same set; the ledger has one line for it. */
export const freeze = defineRoute({
  method: 'POST', path: '/models/:model/frozen', summary: 'Freeze the test rows of a snapshot under a name', access: ['scientist', 'operator'], params: ModelParams, body: FreezeBody,
  async handle({ params: { model }, body: { name, reason, version, snapshot: digest }, caller, services: { stores, artifacts } }) {
    await findModel(stores, model);
    const snapshot = await chosen(stores, model, { version, digest });
    const manifest = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
    const rows = frozenManifest(manifest, manifest.shards);
    if (rows.shards.length === 0) throw new PerennialError('data/missing', `snapshot ${snapshot.digest.slice(0, 12)} of ${model} has no test row to freeze`, { snapshot: snapshot.digest });
    const ref = await artifacts.putOnce(`frozen/${rows.digest}/manifest.json`, new TextEncoder().encode(JSON.stringify(rows)), { contentType: 'application/json' });
    const { set, created } = await stores.frozen.freeze({ model, name, snapshot: snapshot.digest, reason, by: caller.principal, rows: { digest: rows.digest, manifest: ref, rows: rowsOf(rows.shards) } });
    if (!set.revisions.some((revision) => revision.digest === rows.digest)) throw new PerennialError('test-set/taken', `${model} has other rows frozen as ${name}: those of snapshot ${set.snapshot.slice(0, 12)}, by ${set.by}, ${set.frozenAt}`, { model, name, snapshot: set.snapshot });
    await stores.ledger.append({ chain: `${model}/runs`, eventId: `frozen/${name}`, actor: set.by, action: 'test-set-frozen', subject: { name, snapshot: set.snapshot, rows: set.revisions[0]?.digest, reason: set.reason }, at: set.frozenAt });
    return { set, created };
  },
});

export const listFrozen = defineRoute({
  method: 'GET', path: '/models/:model/frozen', summary: 'A model\'s frozen test sets, with how often each was used', access: READERS, params: ModelParams,
  async handle({ params: { model }, services: { stores } }) {
    await findModel(stores, model);
    const records: FrozenRecord[] = [];
    for (const set of await stores.frozen.listFor(model)) records.push(await recordOf(stores, set));
    return { frozen: records.map(({ set, use }) => ({ set, use })) };
  },
});

export const getFrozen = defineRoute({
  method: 'GET', path: '/models/:model/frozen/:name', summary: 'All that was measured on a frozen test set', access: READERS, params: FrozenParams, response: FrozenRecord,
  async handle({ params: { model, name }, services: { stores } }) {
    await findModel(stores, model);
    const set = await stores.frozen.get(model, name);
    if (!set) throw new PerennialError('test-set/unknown', `${model} has no frozen test set ${name}`, { model, name });
    return recordOf(stores, set);
  },
});

async function chosen(stores: Stores, model: string, { version, digest }: { version?: number | undefined; digest?: string | undefined }): Promise<Snapshot> {
  if (version !== undefined) return findSnapshot(stores, (await findVersion(stores, model, version)).snapshot);
  if (digest === undefined) {
    const [newest] = await stores.snapshots.listFor(model, 1);
    if (!newest) throw new PerennialError('data/missing', `${model} has no snapshot yet`);
    return newest;
  }
  const [found, other] = await stores.snapshots.startingWith(digest);
  if (!found || found.model !== model) throw new PerennialError('snapshot/unknown', `${model} has no snapshot ${digest}`);
  if (other) throw new PerennialError('request/invalid', `snapshot: several begin with ${digest}: give more of its digest`);
  return found;
}

async function recordOf(stores: Stores, set: FrozenSet): Promise<FrozenRecord> {
  const measurements = await stores.frozen.measurements(set.model, set.name);
  const newest = set.revisions.at(-1);
  return { set, measurements, use: holdoutUse({ rows: newest?.rows ?? 0, comparisons: measurements.filter(({ digest }) => digest === newest?.digest).length }) };
}
