import { PerennialError } from '../../contract/errors.js';
import { FeatureManifest } from '../../contract/feature-store.js';
import type { JoinedView } from '../../contract/joined-view.js';
import { durationMs } from '../../definition/common.js';
import type { Data } from '../../definition/data.js';
import type { FeatureView } from '../../definition/feature-view.js';
import { usedColumns, viewIssues } from '../../definition/view-use.js';
import type { ViewUse } from '../../definition/view-use.js';
import type { FeatureUse } from '../../stores/feature-stores.js';
import { readJson } from '../../stores/json-objects.js';
import type { ActivityDeps } from '../deps.js';
import type { Findings } from '../data/findings.js';
import { valueColumns } from './columns.js';

/** A view that a table's columns come from, with what is stored of it, and of which commit and materialisation that is. */
export interface OpenView {
  readonly use: ViewUse; readonly view: FeatureView; readonly joined: JoinedView; readonly manifest: FeatureManifest;
  readonly used: FeatureUse;
}

/**
 * The views that a definition names, as they are stored now. One that is not there, or does not fit, is a finding that blocks.
 * @throws PerennialError `features/not-ready` for a view that has not been materialised yet: it is waited for
 */
export async function openViews({ stores, artifacts }: Pick<ActivityDeps, 'stores' | 'artifacts'>, data: Data, findings: Findings): Promise<OpenView[]> {
  const open: OpenView[] = [];
  for (const [index, use] of (data.kind === 'table' ? data.views ?? [] : []).entries()) {
    const current = await stores.featureViews.current(use.view);
    const issues = data.kind === 'table' ? viewIssues(index, use, current?.definition ?? null, data.columns, []) : [];
    for (const issue of issues) findings.add('wrong-shape', 'block', issue, `view ${use.view}`);
    if (!current || issues.length > 0) continue;
    const store = await stores.featureStores.get(use.view, current.digest);
    if (!store?.manifest) throw new PerennialError('features/not-ready', `the feature view ${use.view} has not been materialised yet, as it is at commit ${current.commit.slice(0, 12)}`, { view: use.view });
    const manifest = FeatureManifest.parse(await readJson(artifacts, store.manifest));
    open.push({ use, view: current.definition, manifest, joined: joinedView(use, current.definition, current.digest), used: { view: use.view, digest: current.digest, commit: current.commit, generation: store.generation, asOf: store.asOf } });
  }
  return open;
}

function joinedView(use: ViewUse, view: FeatureView, digest: string): JoinedView {
  const names = valueColumns(view).map(({ name }) => name);
  return {
    view: view.name, digest, ttlMs: durationMs(view.ttl),
    keys: view.entity.map(({ name, type }) => ({ input: use.key[name] ?? name, type })),
    columns: usedColumns(use).map(({ column, as }) => ({ input: as, place: names.indexOf(column) })),
  };
}
