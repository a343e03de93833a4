import type { Lineage, LineageNode } from '../../contract/lineage.js';
import type { Artifacts } from '../../stores/artifacts.js';
import type { StoredView } from '../../stores/feature-views.js';
import type { Stores } from '../../stores/index.js';
import type { Snapshot } from '../../stores/snapshots.js';
import type { Version } from '../../stores/versions.js';
import { snapshotNode, versionNode, viewNode } from './nodes.js';
import { createSteps } from './steps.js';
import { join, walk } from './walk.js';

interface Parts { readonly stores: Stores; readonly artifacts: Artifacts }

/** A version with what it came from, from the source of its rows on, and what came of it, up to where it serves. */
export const lineageOfVersion = (parts: Parts, version: Version, depth: number): Promise<Lineage> => trace(parts, versionNode(version), depth);

/** A snapshot with where its rows came from, and every run and version that they touched. */
export const lineageOfSnapshot = (parts: Parts, snapshot: Snapshot, depth: number): Promise<Lineage> => trace(parts, snapshotNode(snapshot), depth);

/** A feature view with the sources and commits of all that it consisted of, and every snapshot, run and version of any model that it touched. */
export const lineageOfView = (parts: Parts, view: StoredView, depth: number): Promise<Lineage> => trace(parts, viewNode(view), depth);

async function trace(parts: Parts, of: LineageNode, depth: number): Promise<Lineage> {
  const steps = createSteps(parts);
  const both = join([await walk(of, steps.back, depth), await walk(of, steps.forth, depth)]);
  const versions = both.nodes.filter(({ kind }) => kind === 'version');
  const served = (await Promise.all(versions.map((version) => steps.served(version)))).flat();
  const { nodes, edges, more } = join([both, { nodes: served.map(({ node }) => node), edges: served.map(({ edge }) => edge), more: [] }]);
  return { v: 1, of: of.id, depth, nodes, edges, more };
}
