import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { SnapshotManifest } from '../../contract/snapshot.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Split } from '../../contract/snapshot.js';
import { DuckDBInstance } from './duckdb-library.js';

export type SnapshotContent = SnapshotManifest['content'];

/** A shard to read: its file, and the rows that the manifest promises. */
export interface ShardFile { readonly index: number; readonly path: string; readonly rows: number }

/** The shards of a split in the order of the snapshot. Throws where a shard was not fetched. */
export function shardsOf({ manifest, localShards }: LocalSnapshot, split: Split): ShardFile[] {
  return manifest.content.shards.filter((shard) => shard.split === split && shard.rows > 0).sort((a, b) => a.index - b.index).map(({ index, rows }) => {
    const local = localShards.find((shard) => shard.split === split && shard.index === index);
    if (!local) throw new Error(`shard ${index} of split '${split}' of snapshot ${manifest.digest} was not fetched`);
    return { index, path: local.path, rows };
  });
}

/** A DuckDB small enough to stand beside TensorFlow; `close` gives its memory back. */
export async function openShardReader(): Promise<{ connection: DuckDBConnection; close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB', preserve_insertion_order: 'true', autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  return { connection, close: () => { connection.closeSync(); instance.closeSync(); } };
}

/** Streams some columns of a Parquet file in the order of its rows, in chunks of up to 2048 rows. */
export async function* readColumns(connection: DuckDBConnection, path: string, columns: readonly string[], limit?: number): AsyncGenerator<DuckDBDataChunk> {
  const names = columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ');
  const result = await connection.stream(`select ${names} from read_parquet('${path.replaceAll('\'', '\'\'')}')${limit === undefined ? '' : ` limit ${limit}`}`);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) yield chunk;
}
