import { join } from 'node:path';
import { literal, openDuck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { measure } from '../../stores/artifact-bytes.js';
import type { ByDay } from '../../stores/prediction-partitions.js';
import { loadDay, typedColumns, writeParquet } from './day-table.js';
import { removeStraysOf } from './strays.js';

/**
 * Writes a day's file from what PostgreSQL has; of a day that was removed there, from that and the file there is. What is written between the pages that are read may be in the
 * file or not: then the day is due again. The day is held while this goes on, so that nobody notes another file of it, or takes this one for a stray.
 */
export async function archiveDay(deps: Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>, log: ByDay, day: string, signal: AbortSignal): Promise<void> {
  const { stores, artifacts, scratch } = deps;
  await stores.predictionArchives.holdingDay(log, day, async (held) => {
    await withWorkspace(scratch, 'archives', async (folder) => {
      const duck = await openDuck(folder, signal);
      const path = join(folder, `${log}.parquet`);
      let rows: number;
      try {
        rows = await loadDay(duck, stores.predictionArchives, log, day, signal);
        const before = await held.get();
        const removed = before !== null && before.removedAt !== null ? before : null;
        let query = `select ${typedColumns(log)} from logged`;
        if (removed) {
          const former = join(folder, 'former.parquet');
          await artifacts.getToFile(removed.file, former);
          query += ` union all by name select * from read_parquet(${literal(former)}) f where not exists (select 1 from logged l where l.id::uuid = f.id)`;
        }
        const written = await writeParquet(duck, query, path);
        if (removed ? written < Math.max(rows, removed.rows) : written !== rows) throw new Error(`the file of ${day} holds ${written} rows, of ${rows} in PostgreSQL`);
        rows = written;
      } finally {
        duck.close();
      }
      const file = await artifacts.putAt(`predictions/${log}/${day}/${(await measure(path)).sha256}.parquet`, path);
      await held.save({ rows, file });
    });
  });
  await removeStraysOf(deps, log, day);
}
