import { join } from 'node:path';
import { literal, openDuck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { measure } from '../../stores/artifact-bytes.js';
import { ARCHIVED_COLUMNS } from '../../stores/prediction-archives.js';
import type { ByDay } from '../../stores/prediction-partitions.js';

const LOGS = ['predictions', 'refusals'] as const satisfies readonly ByDay[];

export type ArchiveActivities = ReturnType<typeof createArchiveActivities>;

/** The prediction log as Parquet files in S3, a file for each day that is over. */
export function createArchiveActivities(deps: ActivityDeps) {
  return {
    /**
     * Writes the days that are over at `now` and not in S3 yet, or of which more was logged since. A file is noted once it is whole in S3, under the
     * digest of its bytes: twice gives what once gives. Returns how many days were written.
     */
    archivePredictions({ now }: { now: string }): Promise<{ days: number }> {
      return heartbeating(async (signal) => {
        let days = 0;
        for (const log of LOGS) {
          for (const day of await deps.stores.predictionArchives.due(log, now)) {
            signal.throwIfAborted();
            await archiveDay(deps, log, day, signal);
            days += 1;
          }
        }
        return { days };
      });
    },
  };
}

/** What is written between the pages that are read may be in the file or not: then the day is due again. */
export async function archiveDay({ stores, artifacts, scratch }: Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>, log: ByDay, day: string, signal: AbortSignal): Promise<void> {
  await withWorkspace(scratch, 'archives', async (folder) => {
    const duck = await openDuck(folder, signal);
    const path = join(folder, `${log}.parquet`);
    const columns = ARCHIVED_COLUMNS[log];
    let rows = 0;
    try {
      await duck.run(`create table logged (${columns.map(({ name, type }) => `"${name}" ${type === 'blob' ? 'blob' : 'varchar'}`).join(', ')})`);
      const appender = await duck.connection.createAppender('logged');
      for await (const page of stores.predictionArchives.rows(log, day)) {
        signal.throwIfAborted();
        for (const row of page) {
          for (const value of row) {
            if (value === null) appender.appendNull();
            else if (typeof value === 'string') appender.appendVarchar(value);
            else appender.appendBlob(value);
          }
          appender.endRow();
        }
        appender.flushSync();
        rows += page.length;
      }
      appender.closeSync();
      await duck.run(`copy (select ${columns.map(({ name, type }) => `"${name}"::${type} as "${name}"`).join(', ')} from logged) to ${literal(path)} (format parquet, compression zstd)`);
      const [written] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(path)})`);
      if (Number(written?.n ?? -1) !== rows) throw new Error(`the file of ${day} holds ${String(written?.n)} rows of ${rows}`);
    } finally {
      duck.close();
    }
    const file = await artifacts.putAt(`predictions/${log}/${day}/${(await measure(path)).sha256}.parquet`, path);
    const replaced = await stores.predictionArchives.save({ log, day, rows, file });
    if (replaced) await artifacts.delete([new URL(replaced.uri).pathname.slice(1)]);
  });
}
