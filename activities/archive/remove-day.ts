import { join } from 'node:path';
import { literal, openDuck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { PerennialError } from '../../contract/errors.js';
import { ARCHIVED_COLUMNS, type HeldDay } from '../../stores/prediction-archives.js';
import type { ByDay } from '../../stores/prediction-partitions.js';
import { archiveDay } from './archive-day.js';
import { loadDay, typedColumns } from './day-table.js';

type Deps = Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>;

/**
 * Removes a day from PostgreSQL, as a partition, once its file was read from S3, has its digest, and holds every row with every value. A file that does not is written again first. A
 * crash leaves the day here or removed, and its file in either case.
 */
export async function removeDay(deps: Deps, log: ByDay, day: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const removed = await deps.stores.predictionArchives.holdingDay(log, day, async (held) => {
      const rows = await rowsThatAreInTheFile(deps, held, log, day, signal);
      return rows !== null && held.remove(rows);
    });
    if (removed) return;
    await archiveDay(deps, log, day, signal);
  }
  throw new Error(`the ${log} of ${day} stay in PostgreSQL: their file in S3, though written anew, does not hold all of them`);
}

/** How many rows the day has here, where the file in S3 holds all of them; else null. */
async function rowsThatAreInTheFile({ stores, artifacts, scratch }: Deps, held: HeldDay, log: ByDay, day: string, signal: AbortSignal): Promise<number | null> {
  const archived = await held.get();
  if (!archived) return null;
  return withWorkspace(scratch, 'archives', async (folder) => {
    const path = join(folder, 'archived.parquet');
    try {
      await artifacts.getToFile(archived.file, path);
    } catch (error) {
      if (error instanceof PerennialError && (error.code === 'storage/missing' || error.code === 'storage/digest-mismatch')) return null;
      throw error;
    }
    const duck = await openDuck(folder, signal);
    try {
      const columns = ARCHIVED_COLUMNS[log];
      const has = new Set((await duck.rows<{ column_name: string }>(`describe select * from read_parquet(${literal(path)})`)).map((row) => row.column_name));
      if (!columns.every(({ name }) => has.has(name))) return null; // of an earlier release
      const [counted] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(path)})`);
      if (Number(counted?.n ?? -1) !== archived.rows) return null;
      const rows = await loadDay(duck, stores.predictionArchives, log, day, signal);
      // Bytes are compared by their digests: the others' memory is no place for all pictures of a day.
      const compared = columns.map(({ name, type }) => (type === 'blob' ? `sha256("${name}")` : `"${name}"`)).join(', ');
      const [missing] = await duck.rows<{ n: bigint }>(`select count(*) as n from (select ${compared} from (select ${typedColumns(log)} from logged) except all select ${compared} from read_parquet(${literal(path)}))`);
      return Number(missing?.n ?? -1) === 0 ? rows : null;
    } finally {
      duck.close();
    }
  });
}
