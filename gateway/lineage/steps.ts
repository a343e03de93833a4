import type { LineageNode } from '../../contract/lineage.js';
import { parseVersionName } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { labelledEnvironment } from '../../domain/sources.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { Stores } from '../../stores/index.js';
import { readJson } from '../../stores/json-objects.js';
import type { Snapshot } from '../../stores/snapshots.js';
import { findSnapshot, findVersion } from '../find.js';
import { commitNode, environmentNode, findingNode, reproductionNode, runNode, scoresNode, snapshotNode, sourceNode, versionNode } from './nodes.js';
import type { Step } from './walk.js';

interface SourceRows { readonly description: string; readonly rows: number; readonly labelled: boolean; readonly environment: string | null }

/** Findings of a version, and snapshots since it was registered, that are looked through: a daily retraining makes so many in thirty years. */
const EVERY = 10_000;

/** What a node came from (`back`) and what came of it (`forth`), one step at a time, from the registry and the snapshots' manifests. */
export function createSteps({ stores, artifacts }: { readonly stores: Stores; readonly artifacts: Artifacts }, model: string) {
  const read = new Map<string, Promise<SourceRows[]>>();
  const sourcesOf = (snapshot: Snapshot): Promise<SourceRows[]> => {
    const known = read.get(snapshot.digest) ?? readSources(artifacts, snapshot);
    read.set(snapshot.digest, known);
    return known;
  };
  const labelledBefore = (snapshot: Snapshot, environment: string) => stores.labels.labelledVersions({ model, environment, at: snapshot.createdAt });

  const leaves = (effect: LineageNode, cause: LineageNode, how: string): Step => ({ node: effect, edge: { from: cause.id, to: effect.id, how } });
  const comes = (cause: LineageNode, effect: LineageNode, how: string): Step => ({ node: cause, edge: { from: cause.id, to: effect.id, how } });
  const idOf = (node: LineageNode) => node.id.slice(node.kind.length + 1);

  const back: Partial<Record<LineageNode['kind'], (node: LineageNode) => Promise<Step[]>>> = {
    async version(node) {
      const run = await stores.runs.get((await findVersion(stores, model, parseVersionName(node.name).version)).run);
      return run ? [comes(runNode(run), node, 'registered')] : [];
    },
    async run(node) {
      const run = await stores.runs.get(idOf(node));
      if (!run) return [];
      const registered = await stores.models.get(model);
      const finding = /^finding\/(\d+)/.exec(run.cause)?.[1];
      const [snapshot, found, intake] = await Promise.all([
        run.snapshot ? stores.snapshots.get(run.snapshot) : null, finding ? stores.alerts.getFinding(Number(finding)) : null,
        registered ? stores.models.getIntake(registered.repository, run.commit) : null,
      ]);
      return [
        ...(snapshot ? [comes(snapshotNode(snapshot), node, 'rows')] : []),
        comes(commitNode(run.commit, registered?.repository ?? null, intake), node, 'definition'),
        ...(found ? [comes(findingNode(found), node, 'reason')] : []),
      ];
    },
    async snapshot(node) {
      const snapshot = await findSnapshot(stores, idOf(node));
      return (await sourcesOf(snapshot)).map((source) => comes(sourceNode(snapshot.digest, source), node, `${source.rows} rows`));
    },
    async predictions(node) {
      const [digest = '', ...description] = idOf(node).split('/');
      const environment = labelledEnvironment(description.join('/'));
      if (environment === null) return [];
      const versions = await labelledBefore(await findSnapshot(stores, digest), environment);
      return Promise.all(versions.map(async (version) => comes(versionNode(await findVersion(stores, model, version)), node, 'answered')));
    },
    async finding(node) {
      const version = (await stores.alerts.getFinding(Number(idOf(node))))?.version ?? null;
      return version === null ? [] : [comes(versionNode(await findVersion(stores, model, version)), node, 'was found in')];
    },
  };

  const forth: typeof back = {
    async version(node) {
      const { version, registeredAt } = await findVersion(stores, model, parseVersionName(node.name).version);
      const [scores, reproductions, findings, snapshots] = await Promise.all([
        stores.scores.listFor(model, version), stores.reproductions.listFor(model, version), stores.alerts.listFindings({ model, version, limit: EVERY }), stores.snapshots.listFor(model, EVERY, registeredAt),
      ]);
      const fed = await Promise.all(snapshots.map(async (snapshot) => Promise.all((await sourcesOf(snapshot)).filter(({ labelled }) => labelled).map(async (source) => (
        source.environment !== null && (await labelledBefore(snapshot, source.environment)).includes(version) ? [leaves(sourceNode(snapshot.digest, source), node, 'answered')] : [])))));
      return [
        ...scores.map((job) => leaves(scoresNode(job), node, 'scored')),
        ...reproductions.map((one) => leaves(reproductionNode(one), node, 'was built again')),
        ...findings.map((finding) => leaves(findingNode(finding), node, 'was found in')),
        ...fed.flat(2),
      ];
    },
    async predictions(node) {
      const snapshot = await findSnapshot(stores, idOf(node).split('/')[0] ?? '');
      const rows = (await sourcesOf(snapshot)).find(({ description }) => description === node.name)?.rows ?? 0;
      return [leaves(snapshotNode(snapshot), node, `${rows} rows`)];
    },
    async snapshot(node) {
      return (await stores.runs.ofSnapshot(model, idOf(node))).map((run) => leaves(runNode(run), node, 'rows'));
    },
    async finding(node) {
      return (await stores.runs.ofFinding(model, Number(idOf(node)))).map((run) => leaves(runNode(run), node, 'reason'));
    },
    async run(node) {
      const version = (await stores.runs.get(idOf(node)))?.version ?? null;
      return version === null ? [] : [leaves(versionNode(await findVersion(stores, model, version)), node, 'registered')];
    },
  };

  return {
    back: async (node: LineageNode) => await back[node.kind]?.(node) ?? [],
    forth: async (node: LineageNode) => await forth[node.kind]?.(node) ?? [],

    /** Where and when a version served; shown of every version, also where its own history is left out. */
    async served(node: LineageNode): Promise<Step[]> {
      const intervals = await stores.replicas.servedIntervals(model, parseVersionName(node.name).version);
      return [...new Set(intervals.map((one) => one.environment))].map((environment) => leaves(environmentNode(node.name, environment, intervals.filter((one) => one.environment === environment)), node, 'served in'));
    },
  };
}

async function readSources(artifacts: Artifacts, snapshot: Snapshot): Promise<SourceRows[]> {
  const manifest = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
  return manifest.sources.filter(({ rows }) => rows > 0).map(({ description, rows }) => {
    const environment = labelledEnvironment(description);
    return { description, rows, environment, labelled: environment !== null };
  });
}
