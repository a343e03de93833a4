import { PerennialError } from '../contract/errors.js';
import type { Ref } from '../contract/ref.js';
import { SnapshotManifest } from '../contract/snapshot.js';
import type { SnapshotSource } from '../contract/snapshot.js';
import type { Artifacts } from '../stores/artifacts.js';
import type { Stores } from '../stores/index.js';
import { readJson } from '../stores/json-objects.js';
import { findVersion } from './find.js';

/** The whole story of a version from the registry: commit and committer, data, evidence, every decision (also refused ones), when each replica served it, and whether the ledger is whole. */
export async function auditVersion({ stores, artifacts }: { readonly stores: Stores; readonly artifacts: Artifacts }, model: string, number: number) {
  const version = await findVersion(stores, model, number);
  const run = await stores.runs.get(version.run);
  const registered = await stores.models.get(model);
  const [intake, snapshot, evidence, decisions, transitions, intervals, reproductions] = await Promise.all([
    registered ? stores.models.getIntake(registered.repository, version.commit) : null,
    stores.snapshots.get(version.snapshot), stores.evidence.current(version.run), stores.decisions.list(version.run),
    stores.versions.transitions(model, number), stores.replicas.servedIntervals(model, number),
    stores.reproductions.listFor(model, number),
  ]);
  const environments = new Set([evidence?.environment ?? 'production', ...intervals.map((interval) => interval.environment)]);
  const ledger = await Promise.all([...environments].map(async (environment) => {
    const chain = `${model}/${environment}`;
    return { chain, ...(await stores.ledger.verify(chain)), head: await stores.ledger.head(chain) };
  }));
  return {
    version: { model, version: number, status: version.status, package: version.packageDigest, trainingDigest: version.trainingDigest },
    commit: { commit: version.commit, repository: registered?.repository ?? null, committer: intake?.committer ?? null, message: intake?.message ?? null },
    run: run && { run: run.id, reason: run.reason, startedAt: run.createdAt, endedAt: run.endedAt, status: run.status },
    data: snapshot && { snapshot: snapshot.digest, rows: snapshot.rows, counts: snapshot.counts, manifest: snapshot.manifest, sources: await sourcesOf(artifacts, snapshot.manifest) },
    evidence: evidence && { digest: evidence.digest, gates: evidence.sealed.gates, liveVersion: evidence.liveVersion, deadline: evidence.deadline },
    decisions: decisions.map(({ decision, via, accepted, refusal, at }) => ({ verdict: decision.verdict, approver: decision.approver, comment: decision.comment, evidence: decision.evidence, via, accepted, refusal, at })),
    reproductions: reproductions.map(({ id, by, status, report, startedAt, endedAt }) => ({ id, by, status, because: report?.because ?? [], startedAt, endedAt })),
    transitions, served: intervals, ledger, ledgerVerified: ledger.every((chain) => chain.ok),
  };
}

/** Where the rows came from; null where the manifest is gone from S3, which an audit has to survive. */
async function sourcesOf(artifacts: Artifacts, manifest: Ref): Promise<SnapshotSource[] | null> {
  try {
    return SnapshotManifest.parse(await readJson(artifacts, manifest)).sources;
  } catch (error) {
    if (error instanceof PerennialError && error.code === 'storage/missing') return null;
    throw error;
  }
}
