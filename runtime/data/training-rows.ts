import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalSnapshot } from '../../contract/frames.js';
import { openShardReader, shardsOf } from './read-shard.js';

/** A name as SQL takes it. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** The training split of a table as the view `rows`, for one thread, in the order of the snapshot. `share` (0..1): of each shard, so many of its first rows. */
export async function openTrainingRows(snapshot: LocalSnapshot, share: number): Promise<{ readonly connection: DuckDBConnection; readonly close: () => void }> {
  const { connection, close } = await openShardReader();
  try {
    const shards = shardsOf(snapshot, 'train').map(({ path, rows }) => `(select * from read_parquet('${path.replaceAll('\'', '\'\'')}')${share === 1 ? '' : ` limit ${Math.ceil(rows * share)}`})`);
    await connection.run(`create view rows as ${shards.join(' union all ')}`);
    return { connection, close };
  } catch (error) {
    close();
    throw error;
  }
}
