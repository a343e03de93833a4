import { LineageQuery, SnapshotParams, VersionParams, ViewParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { Lineage } from '../../contract/lineage.js';
import { findVersion } from '../find.js';
import { defineRoute, READERS } from '../http/route.js';
import { lineageOfSnapshot, lineageOfVersion, lineageOfView } from '../lineage/index.js';

export const versionLineage = defineRoute({
  method: 'GET', path: '/models/:model/versions/:version/lineage', summary: 'What a version came from, and what came of it, as a graph', access: READERS, params: VersionParams, query: LineageQuery, response: Lineage,
  async handle({ params: { model, version }, query: { depth }, services }) {
    return lineageOfVersion(services, await findVersion(services.stores, model, version), depth);
  },
});

export const viewLineage = defineRoute({
  method: 'GET', path: '/features/:view/lineage', summary: 'What a feature view was made of, and which snapshots and versions it touched', access: READERS, params: ViewParams, query: LineageQuery, response: Lineage,
  async handle({ params: { view }, query: { depth }, services }) {
    // Also of one that is in force no longer.
    const [newest] = await services.stores.featureViews.contents(view);
    if (!newest) throw new PerennialError('features/unknown', `there is no feature view ${view}`);
    return lineageOfView(services, newest, depth);
  },
});

export const snapshotLineage = defineRoute({
  method: 'GET', path: '/snapshots/:snapshot/lineage', summary: 'Where a snapshot\'s rows came from, and which versions they touched', access: READERS, params: SnapshotParams, query: LineageQuery, response: Lineage,
  async handle({ params: { snapshot: prefix }, query: { depth }, services }) {
    const [snapshot, other] = await services.stores.snapshots.startingWith(prefix);
    if (!snapshot) throw new PerennialError('snapshot/unknown', `there is no snapshot ${prefix}`);
    if (other) throw new PerennialError('request/invalid', `snapshot: several begin with ${prefix}: give more of its digest`);
    return lineageOfSnapshot(services, snapshot, depth);
  },
});
