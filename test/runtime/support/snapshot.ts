import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { blobValue, DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBAppender } from '@duckdb/node-api';
import type { LocalSnapshot } from '../../../contract/frames.js';
import type { SnapshotPersonal, SnapshotTarget, Split } from '../../../contract/snapshot.js';
import { typedColumns } from '../../../definition/columns.js';
import type { Column } from '../../../definition/columns.js';
import type { Cell, CellRow } from '../../../domain/cells.js';
import { digestOf } from '../../../domain/digest.js';

export interface Row { readonly key: string; readonly split: Split; readonly label: string | number; readonly attributes?: Record<string, string>; readonly png?: Uint8Array; readonly values?: CellRow }

/** Writes rows as a local snapshot: Parquet shards ordered by key, `shards` of each split. */
export async function writeSnapshot(directory: string, rows: readonly Row[], { classes = [], target = { name: 'label', classes: [...classes] }, columns, personal, shards = 2 }: { classes?: readonly string[]; target?: SnapshotTarget & { scale?: unknown }; columns?: readonly Column[]; personal?: SnapshotPersonal; shards?: number }): Promise<LocalSnapshot> {
  mkdirSync(directory, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const inputs = columns ? typedColumns(columns).map(({ name, type }) => `"${name}" ${{ number: 'double', text: 'text', boolean: 'boolean', time: 'text' }[type]}`) : ['image blob'];
  const described: LocalSnapshot['manifest']['shards'] = [];
  const localShards: LocalSnapshot['localShards'] = [];
  for (const split of ['train', 'validation', 'test'] as const) {
    for (let index = 0; index < shards; index += 1) {
      const own = rows.filter((row) => row.split === split).filter((_, at) => at % shards === index);
      await connection.run(`create or replace table shard (key text, split text, label ${target.task === 'regression' ? 'double' : 'text'}, attributes text, ${inputs.join(', ')})`);
      const appender = await connection.createAppender('shard');
      for (const row of own) {
        for (const value of [row.key, row.split, row.label, JSON.stringify(row.attributes ?? {})]) appendCell(appender, value);
        if (columns) for (const value of row.values ?? []) appendCell(appender, value);
        else appender.appendBlob(blobValue(row.png ?? new Uint8Array()).bytes);
        appender.endRow();
      }
      appender.closeSync();
      const path = join(directory, `${split}-${index}.parquet`);
      await connection.run(`copy (from shard order by key) to '${path}' (format parquet)`);
      const digest = digestOf(own.map(({ key, label }) => [key, String(label)]));
      described.push({ index, split, rows: own.length, digest, file: { uri: `s3://test/${split}-${index}`, sha256: digest, bytes: 0 } });
      localShards.push({ index, split, path });
    }
  }
  connection.closeSync();
  instance.closeSync();
  const content = {
    kind: columns ? 'table' as const : 'images' as const, model: 'test', target: target.task === 'regression' ? { task: target.task, name: target.name } : { name: target.name, classes: target.classes },
    ...(personal ? { personal } : {}), ...(columns ? { columns: [...columns] } : { image: { name: 'image', height: 32, width: 32, channels: 3 } }),
    shards: described.map(({ index, split, rows: count, digest }) => ({ index, split, rows: count, digest })),
  };
  return { manifest: { v: 1, digest: digestOf(content), content, shards: described, counts: { bySplit: {}, byClass: {}, byAttribute: {} }, sources: [] }, localShards };
}

function appendCell(appender: DuckDBAppender, value: Cell): void {
  if (value === null) appender.appendNull();
  else if (typeof value === 'number') appender.appendDouble(value);
  else if (typeof value === 'boolean') appender.appendBoolean(value);
  else appender.appendVarchar(value);
}
