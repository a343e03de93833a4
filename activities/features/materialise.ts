import { PerennialError } from '../../contract/errors.js';
import { FeatureManifest } from '../../contract/feature-store.js';
import { durationMs } from '../../definition/common.js';
import type { FeatureView } from '../../definition/feature-view.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import type { FeatureStore } from '../../stores/feature-stores.js';
import type { ActivityDeps } from '../deps.js';
import { cachedFiles } from '../data/cached-files.js';
import { openDuck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import { findNewRows } from './new-rows.js';
import { storeOnline } from './online.js';
import { checkCandidates, readSource } from './read-source.js';
import { storeFiles } from './store-files.js';

export interface MaterialiseRequest {
  readonly view: string; readonly id: string;
  /** The time of the materialisation, the same for every try. */
  readonly asOf: string;
  /** Read everything again, not only what may be new. */
  readonly full: boolean;
}

export interface Materialised { readonly view: string; readonly digest: string; readonly rowsRead: number; readonly rowsAdded: number; readonly rows: number }
export interface MaterialiseProgress { read: number }

const TRIES = 5;

/**
 * Brings what is stored of a view up to date. Files and manifest are named by their content and become the view's in one write, which fails
 * where another materialisation was quicker: then its result is the ground of the next try.
 */
export async function materialiseView(deps: ActivityDeps, request: MaterialiseRequest, signal: AbortSignal, progress: MaterialiseProgress): Promise<Materialised> {
  const current = await deps.stores.featureViews.current(request.view);
  if (!current) throw new PerennialError('features/unknown', `there is no feature view ${request.view}`);
  const done = await materialiseContent(deps, { ...request, digest: current.digest, definition: current.definition, signal, progress });
  // Versions that were trained before the view was changed go on with the values that they know.
  for (const digest of await deps.stores.featureStores.inUse(request.view)) {
    const former = digest === current.digest ? null : await deps.stores.featureViews.definitionOf(request.view, digest);
    if (former) await materialiseContent(deps, { ...request, digest, definition: { ...former.definition, overlap: current.definition.overlap }, signal, progress });
  }
  return done;
}

async function materialiseContent(deps: ActivityDeps, { digest, definition: view, signal, progress, ...request }: Omit<Work, 'store' | 'folder'> & { readonly digest: string }): Promise<Materialised> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const store = await deps.stores.featureStores.begin({ id: request.id, view: view.name, digest, asOf: request.asOf });
    if (store.asOf !== null && store.asOf >= request.asOf && !request.full) {
      await deps.stores.featureStores.skip({ id: request.id, view: view.name, digest });
      return { view: view.name, digest, rowsRead: 0, rowsAdded: 0, rows: store.rows };
    }
    const done = await withWorkspace(deps.scratch, 'features', (folder) => materialiseOnce(deps, { ...request, store, definition: view, folder, signal, progress }));
    if (done) return done;
  }
  throw new PerennialError('data/changed', `${view.name}: other materialisations have been quicker ${TRIES} times`, { view: view.name });
}

/** An instant to the millisecond as one to the microsecond: texts of one form sort as the times do. */
const microsecond = (iso: string): string => iso.replace(/Z$/, '000Z');

interface Work extends MaterialiseRequest { readonly store: FeatureStore; readonly definition: FeatureView; readonly folder: string; readonly signal: AbortSignal; readonly progress: MaterialiseProgress }

/** Null where another materialisation has changed the store meanwhile. */
async function materialiseOnce(deps: ActivityDeps, { id, asOf: wanted, full, store, definition: view, folder, signal, progress }: Work): Promise<Materialised | null> {
  const { digest, generation, asOf: before } = store;
  const asOf = before !== null && before > wanted ? before : wanted;
  const from = before === null || full ? null : new Date(Date.parse(before) - durationMs(view.overlap)).toISOString();
  const manifest: FeatureManifest = store.manifest ? FeatureManifest.parse(await readJson(deps.artifacts, store.manifest)) : { v: 1, view: view.name, digest, rows: 0, files: [] };
  const duck = await openDuck(folder, signal);
  try {
    const rowsRead = await readSource(duck, { deps, view, folder, signal, from, asOf });
    progress.read = rowsRead;
    await checkCandidates(duck, view);
    const stored = await cachedFiles(deps, manifest.files.filter(({ to }) => from === null || to >= microsecond(from)).map(({ file }) => file), signal);
    const rowsAdded = await findNewRows(duck, view, { stored, before, asOf });
    const next = await storeFiles(duck, deps, { view, manifest, fresh: rowsAdded, folder, signal });
    const ref = await putJson(deps.artifacts, next);
    // Before the files are the view's: what is not in PostgreSQL would be new again at the next try.
    await storeOnline(duck, deps.stores, { view, digest, signal });
    const committed = await deps.stores.featureStores.commit({ id, view: view.name, digest, generation, manifest: ref, rows: next.rows, asOf, rowsRead, rowsAdded });
    return committed ? { view: view.name, digest, rowsRead, rowsAdded, rows: next.rows } : null;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    duck.close();
  }
}
