import { eraseFromLog } from '../archive/erase-day.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { buildSnapshot } from './build.js';
import { findErased } from './erasure/find.js';
import type { BuildProgress, BuildRequest, SnapshotResult } from './build.js';

export { openSnapshot } from './open-snapshot.js';
export type { SnapshotResult } from './build.js';

export type DataActivities = ReturnType<typeof createDataActivities>;

/** Snapshots: the rows a definition describes, checked and frozen. */
export function createDataActivities(deps: ActivityDeps) {
  return {
    /** Content addresses make it safe to run twice: the same rows are the same objects, the manifest comes last, then the row. */
    async buildSnapshot(request: BuildRequest): Promise<SnapshotResult> {
      const progress: BuildProgress = { rows: 0, shards: 0 };
      return heartbeating((signal) => buildSnapshot(deps, request, signal, progress), () => ({ ...progress }));
    },

    /** Erases a row in the prediction log, then looks for snapshots that hold it. What was erased is not found again, and every mark is written once: a second try adds what is missing. */
    async findErased(request: { readonly model: string; readonly id: string }): Promise<void> {
      let shards = 0;
      return heartbeating(async (signal) => {
        await eraseFromLog(deps, request, signal);
        await findErased(deps, request, signal, () => { shards += 1; });
      }, () => ({ shards }));
    },
  };
}
