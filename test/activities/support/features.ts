import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createFeatureActivities } from '../../../activities/features/index.js';
import type { Materialised } from '../../../activities/features/index.js';
import { FeatureManifest } from '../../../contract/feature-store.js';
import { FeatureView } from '../../../definition/feature-view.js';
import type { FeatureViewInput } from '../../../definition/feature-view.js';
import { entityHash } from '../../../domain/feature-rows.js';
import type { Cell } from '../../../domain/cells.js';
import { viewDigest } from '../../../runtime/definition/digests.js';
import { readJson } from '../../../stores/json-objects.js';
import { commit, ref } from '../../stores/samples.js';
import { query } from './data.js';
import type { DataStack } from './data.js';

export type ViewParts = Partial<Omit<FeatureViewInput, 'source'>> & { readonly source: FeatureViewInput['source'] };

/** Registers feature views of a stack and materialises them, without a workflow. */
export function useFeatures(stack: DataStack) {
  const activities = createFeatureActivities(stack.deps);
  const define = async (parts: ViewParts) => {
    await stack.stores.repositories.add({ name: 'cars', url: 'file:///cars', branches: ['main'], pollSeconds: 0, by: 'ada' });
    const view = FeatureView.parse({
      schema: 1, name: `view-${randomUUID().slice(0, 8)}`, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test', entity: [{ name: 'customer', type: 'text' }], timestamp: 'at',
      columns: ['n'], schedule: '1h', ttl: '30d', freshness: '2h', ...parts,
    } satisfies FeatureViewInput);
    const at = commit(randomUUID());
    const digest = viewDigest(view);
    await stack.stores.featureViews.ensure({ view, repository: 'cars', path: 'a.view.ts' });
    await stack.stores.featureViews.saveDefinition({ view: view.name, repository: 'cars', commit: at, path: 'a.view.ts', digest, definition: view, bundle: ref('bundle') });
    await stack.stores.featureViews.setCurrent(view.name, at, { instead: (await stack.stores.featureViews.current(view.name))?.commit ?? null });
    const materialise = (asOf: string, { id = randomUUID(), full = false, signal }: { id?: string; full?: boolean; signal?: AbortSignal } = {}): Promise<Materialised> => {
      const environment = new MockActivityEnvironment();
      signal?.addEventListener('abort', () => { environment.cancel(); });
      return environment.run<[], Materialised, () => Promise<Materialised>>(() => activities.materialiseView({ view: view.name, id, asOf, full }));
    };
    const stored = async () => {
      const store = await stack.stores.featureStores.get(view.name, digest);
      return store?.manifest ? FeatureManifest.parse(await readJson(stack.artifacts, store.manifest)) : null;
    };
    return {
      view, digest, materialise, stored,
      /** What is stored of the view, in order. */
      async rows(columns = '*'): Promise<Record<string, unknown>[]> {
        const manifest = await stored();
        if (!manifest || manifest.files.length === 0) return [];
        const { cachedFiles } = await import('../../../activities/data/cached-files.js');
        const paths = await cachedFiles(stack.deps, manifest.files.map(({ file }) => file));
        return query(`select ${columns} from read_parquet([${paths.map((path) => `'${path}'`).join(', ')}]) order by all`);
      },
      /** The newest row of a key in PostgreSQL. */
      async online(...key: Cell[]): Promise<{ cells: Cell[]; at: string } | null> {
        const [found] = await stack.stores.featureRows.find(view.name, digest, [entityHash(key)], '1970-01-01T00:00:00.000Z');
        return found ? { cells: JSON.parse(found.cells) as Cell[], at: found.eventTime } : null;
      },
    };
  };
  return { activities, define };
}
