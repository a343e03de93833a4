import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { LOGS } from '../../stores/prediction-partitions.js';
import { archiveDay } from './archive-day.js';
import { eraseInDay, rewriteErasedDays } from './erase-day.js';
import { removeDay } from './remove-day.js';
import { removeStrays } from './strays.js';

export type ArchiveActivities = ReturnType<typeof createArchiveActivities>;
export interface Archived { readonly days: number; readonly removed: number }

/** The prediction log as Parquet files in S3, a file for each day that is over, and only there once it is old. */
export function createArchiveActivities(deps: ActivityDeps, { keepDays }: { readonly keepDays: number }) {
  return {
    /**
     * Writes the days that are over at `now` and not in S3 yet, or of which more was logged since; removes from PostgreSQL the days that are older than it keeps and whole in S3; and
     * from S3 what a run that died left there. A file is noted once it is whole in S3, under the digest of its bytes: twice gives what once gives. Returns how many days were written and removed.
     */
    archivePredictions({ now }: { now: string }): Promise<Archived> {
      return heartbeating(async (signal) => {
        let [days, removed] = [0, 0];
        const erasures = await deps.stores.erasedPredictions.erasures(null);
        await rewriteErasedDays(deps, signal);
        for (const log of LOGS) {
          for (const day of await deps.stores.predictionArchives.due(log, now)) {
            signal.throwIfAborted();
            // What comes from a replica that was away may be of a row that was erased meanwhile.
            if (log === 'predictions' && erasures.length > 0) await eraseInDay(deps, day, erasures, { isHere: true }, signal);
            await archiveDay(deps, log, day, signal);
            days += 1;
          }
          for (const day of await deps.stores.predictionArchives.old(log, now, keepDays)) {
            signal.throwIfAborted();
            await removeDay(deps, log, day, signal);
            removed += 1;
          }
          await removeStrays(deps, log, signal);
        }
        return { days, removed };
      });
    },
  };
}
