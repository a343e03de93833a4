import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../domain/canonical.js';
import { literal, openDuck } from './duckdb.js';
import type { PictureRow } from './picture-rows.js';
import type { Spill } from './spill.js';

/** Rows of pictures in a row group: a reader holds one group at a time. */
const ROWS_PER_GROUP = 1_024;

/** Writes rows, which come ordered by key, as a shard's Parquet file. One thread, so that the same rows give the same bytes. */
export async function writePictureShard({ rows, spill, folder, file }: { rows: readonly PictureRow[]; spill: Spill; folder: string; file: string }): Promise<void> {
  const work = await mkdtemp(join(folder, 'shard-'));
  const duck = await openDuck(work);
  try {
    await duck.run('set threads = 1');
    await duck.run('create table shard (place integer, key varchar, split varchar, label varchar, attributes varchar, image blob)');
    const appender = await duck.connection.createAppender('shard');
    for (const [place, row] of rows.entries()) {
      appender.appendInteger(place);
      appender.appendVarchar(row.key);
      appender.appendVarchar(row.split);
      appender.appendVarchar(row.label);
      appender.appendVarchar(canonicalJson(row.attributes));
      appender.appendBlob(await spill.read(row.place));
      appender.endRow();
    }
    appender.closeSync();
    await duck.run(`copy (select key, split, label, attributes, image from shard order by place) to ${literal(file)} (format parquet, compression zstd, row_group_size ${ROWS_PER_GROUP})`);
  } finally {
    duck.close();
    await rm(work, { recursive: true, force: true });
  }
}
