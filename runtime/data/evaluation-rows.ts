import type { LocalSnapshot } from '../../contract/frames.js';
import type { Split } from '../../contract/snapshot.js';
import { typedColumns } from '../../definition/columns.js';
import type { RawRows } from '../preprocess.js';
import { cellsOf } from './table-cells.js';
import { labelReader } from './labels.js';
import { decodePicture } from './picture.js';
import { keyOf, shapeOf } from './pack.js';
import { openShardReader, readColumns, shardsOf } from './read-shard.js';

/** Rows to predict, in the order of the snapshot. */
export interface RowBatch {
  readonly keys: readonly string[];
  /** Indexes of classes, or the targets of a regression. */
  readonly actual: Uint16Array | Float64Array;
  /** JSON text of each row's attributes. */
  readonly attributes: readonly string[];
  readonly raw: RawRows;
  /** The encoded pictures; empty for a table. */
  readonly pngs: readonly Uint8Array[];
}

/** Streams a split in chunks of up to 2048 rows. */
export async function* evaluationRows(snapshot: LocalSnapshot, split: Split): AsyncGenerator<RowBatch> {
  const { content } = snapshot.manifest;
  const labelOf = labelReader(content.target);
  const numbersOf = (numbers: number[]) => (content.target.task === 'regression' ? Float64Array.from(numbers) : Uint16Array.from(numbers));
  const table = typedColumns(content.columns ?? []);
  const columns = content.kind === 'images' ? ['image'] : table.map(({ name }) => name);
  const { connection, close } = await openShardReader();
  try {
    for (const { path } of shardsOf(snapshot, split)) {
      for await (const chunk of readColumns(connection, path, ['key', 'label', ...columns, 'attributes'])) {
        const rows = Array.from({ length: chunk.rowCount }, (_, row) => row);
        const keys = rows.map((row) => keyOf(chunk, row));
        const column = (index: number) => chunk.getColumnVector(index);
        const pngs = content.kind === 'images' ? rows.map((row) => (column(2).getItem(row) as unknown as { bytes: Uint8Array }).bytes) : [];
        yield {
          keys, pngs,
          actual: numbersOf(rows.map((row) => labelOf(column(1).getItem(row), keys[row] ?? ''))),
          attributes: rows.map((row) => String(column(columns.length + 2).getItem(row) ?? '{}')),
          raw: content.kind === 'images' ? joined(pngs.map((png, row) => decodePicture(png, shapeOf(content), keys[row] ?? ''))) : cellsOf(chunk, table, 2, (row) => keys[row] ?? ''),
        };
      }
    }
  } finally {
    close();
  }
}

function joined(pictures: readonly Uint8Array[]): Uint8Array {
  const size = pictures[0]?.length ?? 0;
  const all = new Uint8Array(size * pictures.length);
  pictures.forEach((picture, index) => { all.set(picture, index * size); });
  return all;
}
