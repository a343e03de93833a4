import type { LineageNode } from '../../contract/lineage.js';
import { parseVersionName } from '../../contract/ref.js';
import { SnapshotManifest } from '../../contract/snapshot.js';
import { labelledEnvironment } from '../../domain/sources.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { FeatureUse } from '../../stores/feature-stores.js';
import type { Stores } from '../../stores/index.js';
import { readJson } from '../../stores/json-objects.js';
import type { Snapshot } from '../../stores/snapshots.js';
import { findSnapshot, findVersion } from '../find.js';
import { commitNode, contentNode, environmentNode, findingNode, reproductionNode, runNode, scoresNode, snapshotNode, sourceNode, versionNode, viewSourceNode } from './nodes.js';
import type { Step } from './walk.js';

interface SourceRows { readonly description: string; readonly rows: number; readonly labelled: boolean; readonly environment: string | null }

/** Findings of a version, and snapshots since it was registered, that are looked through: a daily retraining makes so many in thirty years. */
const EVERY = 10_000;

/** What a node came from (`back`) and what came of it (`forth`), one step at a time, from the registry and the snapshots' manifests. */
export function createSteps({ stores, artifacts }: { readonly stores: Stores; readonly artifacts: Artifacts }) {
  const read = new Map<string, Promise<SourceRows[]>>();
  const sourcesOf = (snapshot: Snapshot): Promise<SourceRows[]> => {
    const known = read.get(snapshot.digest) ?? readSources(artifacts, snapshot);
    read.set(snapshot.digest, known);
    return known;
  };
  const labelledBefore = (snapshot: Snapshot, environment: string) => stores.labels.labelledVersions({ model: snapshot.model, environment, at: snapshot.createdAt });

  const leaves = (effect: LineageNode, cause: LineageNode, how: string): Step => ({ node: effect, edge: { from: cause.id, to: effect.id, how } });
  const comes = (cause: LineageNode, effect: LineageNode, how: string): Step => ({ node: cause, edge: { from: cause.id, to: effect.id, how } });
  const idOf = (node: LineageNode) => node.id.slice(node.kind.length + 1);
  const versionOf = async (node: LineageNode) => {
    const { model, version } = parseVersionName(node.name);
    return findVersion(stores, model, version);
  };
  /** A node of a view is of all that it consisted of, or of one content. */
  const contentsOf = async (node: LineageNode) => {
    const [view = '', digest] = idOf(node).split('/');
    return (await stores.featureViews.contents(view)).filter((one) => digest === undefined || one.digest === digest);
  };

  const back: Partial<Record<LineageNode['kind'], (node: LineageNode) => Promise<Step[]>>> = {
    async version(node) {
      const run = await stores.runs.get((await versionOf(node)).run);
      return run ? [comes(runNode(run), node, 'registered')] : [];
    },
    async run(node) {
      const run = await stores.runs.get(idOf(node));
      if (!run) return [];
      const registered = await stores.models.get(run.model);
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
      const views = await Promise.all((await stores.featureStores.usesOf(snapshot.digest)).map(async (use) => {
        const content = (await stores.featureViews.contents(use.view)).find(({ digest }) => digest === use.digest);
        return content ? [comes(contentNode(content), node, joinedAs(use))] : [];
      }));
      return [...(await sourcesOf(snapshot)).map((source) => comes(sourceNode(snapshot.digest, source), node, `${source.rows} rows`)), ...views.flat()];
    },
    async view(node) {
      return (await Promise.all((await contentsOf(node)).map(async (content) => [
        comes(viewSourceNode(content), node, 'materialised'),
        comes(commitNode(content.commit, content.repository, await stores.models.getIntake(content.repository, content.commit)), node, 'definition'),
      ]))).flat();
    },
    async predictions(node) {
      const [digest = '', ...description] = idOf(node).split('/');
      const environment = labelledEnvironment(description.join('/'));
      if (environment === null) return [];
      const snapshot = await findSnapshot(stores, digest);
      const versions = await labelledBefore(snapshot, environment);
      return Promise.all(versions.map(async (version) => comes(versionNode(await findVersion(stores, snapshot.model, version)), node, 'answered')));
    },
    async finding(node) {
      const found = await stores.alerts.getFinding(Number(idOf(node)));
      return !found || found.version === null ? [] : [comes(versionNode(await findVersion(stores, found.model, found.version)), node, 'was found in')];
    },
  };

  const forth: typeof back = {
    async version(node) {
      const { model, version, registeredAt } = await versionOf(node);
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
      const { model, digest } = await findSnapshot(stores, idOf(node));
      return (await stores.runs.ofSnapshot(model, digest)).map((run) => leaves(runNode(run), node, 'rows'));
    },
    async finding(node) {
      const found = await stores.alerts.getFinding(Number(idOf(node)));
      return found ? (await stores.runs.ofFinding(found.model, found.id)).map((run) => leaves(runNode(run), node, 'reason')) : [];
    },
    async view(node) {
      const contents = await contentsOf(node);
      if (!idOf(node).includes('/')) return contents.map((content) => leaves(contentNode(content), node, `as of commit ${content.commit.slice(0, 12)}`));
      const uses = (await Promise.all(contents.map((content) => stores.featureStores.usersOf(content.view, content.digest)))).flat();
      return Promise.all(uses.map(async (use) => leaves(snapshotNode(await findSnapshot(stores, use.snapshot)), node, joinedAs(use))));
    },
    async run(node) {
      const run = await stores.runs.get(idOf(node));
      return !run || run.version === null ? [] : [leaves(versionNode(await findVersion(stores, run.model, run.version)), node, 'registered')];
    },
  };

  return {
    back: async (node: LineageNode) => await back[node.kind]?.(node) ?? [],
    forth: async (node: LineageNode) => await forth[node.kind]?.(node) ?? [],

    /** Where and when a version served; shown of every version, also where its own history is left out. */
    async served(node: LineageNode): Promise<Step[]> {
      const { model, version } = parseVersionName(node.name);
      const intervals = await stores.replicas.servedIntervals(model, version);
      return [...new Set(intervals.map((one) => one.environment))].map((environment) => leaves(environmentNode(node.name, environment, intervals.filter((one) => one.environment === environment)), node, 'served in'));
    },
  };
}

/** How a snapshot came to a view's values: those of this materialisation. */
function joinedAs({ generation, asOf, commit }: FeatureUse): string {
  return generation === null ? 'joined' : `joined, generation ${generation}${asOf === null ? '' : ` as of ${asOf.slice(0, 19)}Z`}${commit === null ? '' : `, commit ${commit.slice(0, 12)}`}`;
}

async function readSources(artifacts: Artifacts, snapshot: Snapshot): Promise<SourceRows[]> {
  const manifest = SnapshotManifest.parse(await readJson(artifacts, snapshot.manifest));
  return manifest.sources.filter(({ rows }) => rows > 0).map(({ description, rows }) => {
    const environment = labelledEnvironment(description);
    return { description, rows, environment, labelled: environment !== null };
  });
}
