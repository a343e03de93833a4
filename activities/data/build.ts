import type { Ref } from '../../contract/ref.js';
import type { DataReport, SnapshotManifest } from '../../contract/snapshot.js';
import type { Data } from '../../definition/data.js';
import { digestOf } from '../../domain/digest.js';
import type { ActivityDeps } from '../deps.js';
import { putJson } from '../../stores/json-objects.js';
import { requireDefinition } from '../lookup.js';
import type { Erased } from './erasure/forget.js';
import { openViews } from '../features/open-views.js';
import type { OpenView } from '../features/open-views.js';
import { removeErased } from './erasure/remove.js';
import { Findings } from './findings.js';
import { newestRevision, openFrozen } from './frozen/open.js';
import type { OpenFrozenSet } from './frozen/open.js';
import { fingerprintOf } from './fingerprint.js';
import { listSources, requireUnchanged } from './listing.js';
import type { ListedSource } from './listing.js';
import { pseudonymsFor, tellOtherKey } from './personal/pseudonyms-for.js';
import type { Pseudonyms } from '../../runtime/personal/pseudonyms.js';
import { buildPictures } from './pictures.js';
import { compareWithPrevious } from './profile/compare-previous.js';
import { saveProfile } from './profile/save-profile.js';
import { contentOf, saveKnown, saveSnapshot } from './save.js';
import { storeShards } from './store-shards.js';
import type { BuiltRows } from './rows.js';
import { buildTable } from './tables.js';
import { withWorkspace } from './workspace.js';

/** A snapshot that may be trained on, or, `blocked`, why there is none: then `digest` and `manifest` are those of the report. */
export interface SnapshotResult {
  readonly digest: string; readonly manifest: Ref; readonly rows: number; readonly counts: SnapshotManifest['counts'];
  readonly report: DataReport; readonly blocked: boolean;
  /** The rows were a known snapshot already. */
  readonly reused: boolean;
}

export interface BuildRequest { readonly model: string; readonly commit: string; readonly run: string }
export interface BuildProgress { rows: number; shards: number }

/**
 * Reads, checks and stores the rows that a definition describes. Where no source has changed since a build, nothing is read.
 * Running twice gives the same digest and the same objects.
 */
export async function buildSnapshot(deps: ActivityDeps, { model, commit, run }: BuildRequest, signal: AbortSignal, progress: BuildProgress): Promise<SnapshotResult> {
  const { definition: { data, release }, bundle } = await requireDefinition(deps.stores, model, commit);
  const findings = new Findings();
  const lookedAt = Date.now();
  const sources = await listSources({ deps, model, data, findings });
  const views = await openViews(deps, data, findings);
  const erased = await deps.stores.erasures.erased(model);
  const sets = await deps.stores.frozen.listFor(model);
  const pseudonyms = await pseudonymsFor(deps, model, data);
  const fingerprint = fingerprintOf(data, { sources, views }, lookedAt, { erased: erased?.hashes ?? [], frozen: sets.map((set) => newestRevision(set).digest), key: pseudonyms?.key ?? null });
  const known = findings.report().blocked || fingerprint === null ? null : await knownSnapshot(deps, model, fingerprint);
  if (known) {
    await removeErased(deps, model, known.digest);
    return known;
  }
  const frozen: OpenFrozenSet[] = [];
  for (const set of sets) frozen.push(await openFrozen(deps, set, signal));
  const result = await withWorkspace(deps.scratch, 'snapshots', (folder) => readAndSave({ deps, model, made: { run, commit }, bundle, erased, frozen, pseudonyms, data, findings, sources, views, folder, signal, progress }));
  if (!result.blocked) await removeErased(deps, model, result.digest);
  if (!result.blocked && fingerprint !== null) await deps.stores.fingerprints.save({ model, fingerprint, digest: result.digest });
  await tellSources(deps, run, result);
  await recordPersonalData(deps, { chain: `${model}/${release.environment}`, run, report: result.report });
  const { sources: _, boundaries: __, ...rest } = result;
  return rest;
}

async function knownSnapshot({ stores }: ActivityDeps, model: string, fingerprint: string): Promise<SnapshotResult | null> {
  const digest = await stores.fingerprints.get(model, fingerprint);
  const snapshot = digest === null ? null : await stores.snapshots.get(digest);
  if (!snapshot) return null;
  const { manifest, rows, counts, report, blocked } = snapshot;
  return { digest: snapshot.digest, manifest, rows, counts, report, blocked, reused: true };
}

interface Reading {
  readonly deps: ActivityDeps; readonly model: string; readonly made: { readonly run: string; readonly commit: string }; readonly bundle: Ref; readonly erased: Erased; readonly frozen: readonly OpenFrozenSet[]; readonly pseudonyms: Pseudonyms | null; readonly data: Data; readonly findings: Findings; readonly sources: readonly ListedSource[]; readonly views: readonly OpenView[];
  readonly folder: string; readonly signal: AbortSignal; readonly progress: BuildProgress;
}

type BuiltResult = SnapshotResult & Pick<BuiltRows, 'sources' | 'boundaries'>;

async function readAndSave(reading: Reading): Promise<BuiltResult> {
  const { deps, model, data, findings, progress } = reading;
  const boundariesOf = (rule: string) => deps.stores.splitBoundaries.get(reading.model, rule);
  const definitionCode = () => deps.artifacts.get(reading.bundle);
  const common = { ...reading, boundariesOf, definitionCode, onRows: (rows: number) => { progress.rows += rows; } };
  const built = await (data.kind === 'images' ? buildPictures({ ...common, data }) : buildTable({ ...common, data })).catch(async (error: unknown) => {
    // A file that went away under the reader is told as that.
    if (!reading.signal.aborted) await requireUnchanged(reading.sources);
    throw error;
  });
  try {
    await requireUnchanged(reading.sources);
    await tellOtherKey(deps, model, built, findings);
    const report = findings.report();
    const told = { sources: built.sources, ...(built.boundaries ? { boundaries: built.boundaries } : {}) };
    const blockedBy = async (why: DataReport): Promise<BuiltResult> => {
      const ref = await putJson(deps.artifacts, why);
      return { digest: ref.sha256, manifest: ref, rows: built.rows, counts: built.counts, report: why, blocked: true, reused: false, ...told };
    };
    if (report.blocked) return await blockedBy(report);
    const knownOf = async (shards: SnapshotManifest['content']['shards']): Promise<BuiltResult | null> => {
      const known = await saveKnown(deps, { built, views: reading.views, erased: reading.erased, digest: digestOf(contentOf(model, data, { ...built, shards }, reading.views)), report });
      return known && { ...known, report, blocked: false, reused: true, ...told };
    };
    const named = built.shards.flatMap(({ digest, ...shard }) => (digest === null ? [] : [{ ...shard, digest }]));
    const before = named.length === built.shards.length ? await knownOf(named) : null;
    if (before) return before;
    const { shards, profile } = await storeShards({ ...reading, built, onShard: (written) => { progress.shards = written; } });
    const known = named.length === built.shards.length ? null : await knownOf(shards);
    if (known) return known;
    const content = contentOf(model, data, { ...built, shards }, reading.views);
    await compareWithPrevious(deps, { model, data, profile: profile.profile, findings });
    const compared = findings.report();
    if (compared.blocked) return await blockedBy(compared);
    const refs = await saveProfile(deps, { model, snapshot: digestOf(content), profile });
    const saved = await saveSnapshot({ deps, content, made: reading.made, data, views: reading.views, erased: reading.erased, built, report: compared, shards, profile: refs });
    return { ...saved, report: compared, blocked: false, reused: false, ...told };
  } finally {
    await built.close();
  }
}

async function tellSources({ stores }: ActivityDeps, run: string, { sources, boundaries = [], blocked }: BuiltResult): Promise<void> {
  const tell = (eventId: string, message: string, data: Record<string, unknown>) => stores.runs.appendEvent({ run, eventId, at: new Date().toISOString(), kind: 'note', step: 'snapshot', message, data });
  for (const [index, { description, rows }] of sources.entries()) await tell(`snapshot-source-${index}`, `${rows} rows of ${description}`, { rows });
  if (!blocked) await tell('snapshot-profile', `what they are like: perennial profile ${run}`, {});
  for (const [index, { column, validationFrom, testFrom, fixed }] of boundaries.entries()) {
    const from = [validationFrom === null ? '' : `validation from ${validationFrom}`, testFrom === null ? '' : `test from ${testFrom}`].filter((part) => part !== '').join(', ') || 'all of them train';
    await tell(`snapshot-boundaries-${index}`, `rows are divided by ${column}: ${from}${fixed ? ', as at the first snapshot' : ''}`, { validationFrom, testFrom });
  }
}

/** Where and how much, never what: the ledger outlives an erasure. */
async function recordPersonalData({ stores }: ActivityDeps, { chain, run, report }: { chain: string; run: string; report: DataReport }): Promise<void> {
  const found = report.findings.filter(({ check }) => check === 'personal-data').map(({ severity, message, count }) => ({ severity, message, count }));
  if (found.length > 0) await stores.ledger.append({ chain, eventId: `personal-data/${run}`, actor: run, action: 'personal-data-found', subject: { run, found }, at: new Date().toISOString() });
}
