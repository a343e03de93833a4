import { join } from 'node:path';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { PerennialError } from '../../contract/errors.js';
import { PICTURE_FIGURES, pictureFigures } from '../../domain/picture-figures.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Split } from '../../contract/snapshot.js';
import { createLabels, labelReader } from './labels.js';
import type { Scaling } from './labels.js';
import { Moments } from './moments.js';
import { decodePicture } from './picture.js';
import type { PictureShape } from './picture.js';
import { openShardReader, readColumns, shardsOf } from './read-shard.js';
import type { SnapshotContent } from './read-shard.js';
import type { Preprocessor } from '../preprocess.js';
import { cellsOf } from './table-cells.js';
import { createRowWriter } from './row-store.js';
import type { RowStore } from './row-store.js';

export interface PackedSplit {
  readonly store: RowStore;
  /** Over the numbers of a table, or a picture's brightness and contrast. */
  readonly moments: Moments;
  /** Rows of each class; of a regression none. */
  readonly byClass: readonly number[];
  /** Over the target of a regression, in its own unit. */
  readonly target: Moments | null;
}

export interface PackOptions {
  readonly snapshot: LocalSnapshot;
  readonly split: Split;
  /** At most this many rows, taken from all shards alike; all of them when unset. */
  readonly limit?: number | undefined;
  /** Of a table: makes the tensors that are packed. */
  readonly preprocessor: Preprocessor | null;
  /** How the target of a regression is scaled for the network. */
  readonly scaling?: Scaling | undefined;
  readonly directory: string;
  readonly budgetBytes: number;
}

/** Rows of a chunk, packed: bytes of pictures, or the float32 tensors of a table's rows. */
interface RowReader {
  readonly columns: readonly string[];
  readonly rowBytes: number;
  readonly features: number;
  readonly read: (chunk: DuckDBDataChunk, rows: Uint8Array, features: Float32Array) => void;
}

/**
 * Reads a split's shards once and packs its rows for training: PNGs decoded to bytes, rows of tables to tensors. Memory stays
 * below `budgetBytes` and some, whatever the number of rows.
 */
export async function packSplit({ snapshot, split, limit, preprocessor, scaling = { offset: 0, scale: 1 }, directory, budgetBytes }: PackOptions): Promise<PackedSplit> {
  const { content } = snapshot.manifest;
  const shards = shardsOf(snapshot, split);
  const share = shareOf(snapshot, split, limit);
  const expected = shards.reduce((sum, { rows }) => sum + Math.ceil(rows * share), 0);
  const reader = rowReader(content, preprocessor, split);
  const writer = createRowWriter({ rows: expected, rowBytes: reader.rowBytes, budgetBytes, file: join(directory, `rows-${split}-${process.pid}`), createLabels: (count) => createLabels(content.target, count) });
  const moments = new Moments(reader.features, expected);
  const labelOf = labelReader(content.target);
  const target = content.target.task === 'regression' ? new Moments(1, expected) : null;
  const byClass = content.target.task === 'regression' ? [] : content.target.classes.map(() => 0);
  const { connection, close } = await openShardReader();
  for (const shard of shards) {
    for await (const chunk of readColumns(connection, shard.path, ['key', 'label', ...reader.columns], share === 1 ? undefined : Math.ceil(shard.rows * share))) {
      const rows = new Uint8Array(chunk.rowCount * reader.rowBytes);
      const features = new Float32Array(chunk.rowCount * reader.features);
      reader.read(chunk, rows, features);
      const vector = chunk.getColumnVector(1);
      const known = Array.from({ length: chunk.rowCount }, (_, row) => labelOf(vector.getItem(row), keyOf(chunk, row)));
      if (target) target.add(Float32Array.from(known), known.length);
      else for (const label of known) byClass[label] = (byClass[label] ?? 0) + 1;
      moments.add(features, chunk.rowCount);
      const labels = createLabels(content.target, known.length);
      known.forEach((label, row) => { labels[row] = target ? (label - scaling.offset) * scaling.scale : label; });
      writer.append(rows, labels);
    }
  }
  close();
  return { store: writer.finish(), moments, byClass, target };
}

/** The share of a split's rows that a limit leaves, 0..1. */
export function shareOf(snapshot: LocalSnapshot, split: Split, limit: number | undefined): number {
  const total = shardsOf(snapshot, split).reduce((sum, { rows }) => sum + rows, 0);
  return limit === undefined ? 1 : Math.min(1, limit / Math.max(1, total));
}

export function keyOf(chunk: DuckDBDataChunk, row: number): string {
  return String(chunk.getColumnVector(0).getItem(row));
}

function rowReader(content: SnapshotContent, preprocessor: Preprocessor | null, split: Split): RowReader {
  if (content.kind === 'images') return pictureReader(shapeOf(content));
  if (!preprocessor) throw new TypeError('rows of a table are packed as tensors: their preprocessing has to be given');
  return tableReader(typedColumns(content.columns ?? []), preprocessor, split === 'train');
}

/** The size of a snapshot's pictures. */
export function shapeOf(content: SnapshotContent): PictureShape {
  if (!content.image) throw new Error(`the snapshot of '${content.model}' holds no pictures`);
  return content.image;
}

function pictureReader(shape: PictureShape): RowReader {
  const rowBytes = shape.height * shape.width * shape.channels;
  return {
    columns: ['image'], rowBytes, features: PICTURE_FIGURES.length,
    read: (chunk, rows, features) => {
      const images = chunk.getColumnVector(2);
      for (let row = 0; row < chunk.rowCount; row += 1) {
        const picture = decodePicture((images.getItem(row) as unknown as { bytes: Uint8Array }).bytes, shape, keyOf(chunk, row));
        rows.set(picture, row * rowBytes);
        features.set(pictureFigures(picture), row * PICTURE_FIGURES.length);
      }
    },
  };
}

/** Columns that a table's profile is over. */
export function profiledColumns(columns: readonly TypedColumn[]): string[] {
  return columns.filter(({ type }) => type === 'number').map(({ name }) => name);
}

/** `strict`: a row that the model would refuse is `data/blocked`. Of validation rows, which judge nothing, such a value is one that is not known. */
function tableReader(columns: readonly TypedColumn[], { width, apply, problemOf }: Preprocessor, strict: boolean): RowReader {
  const numbers = columns.flatMap(({ type }, index) => (type === 'number' ? [index] : []));
  return {
    columns: columns.map(({ name }) => name), rowBytes: width * 4, features: numbers.length,
    read: (chunk, rows, features) => {
      const cells = cellsOf(chunk, columns, 2, (row) => keyOf(chunk, row));
      cells.forEach((row, index) => {
        const problem = strict ? problemOf(row) : null;
        if (problem !== null) throw new PerennialError('data/blocked', `row '${keyOf(chunk, index)}', ${problem}`);
        numbers.forEach((column, feature) => { features[index * numbers.length + feature] = Number(row[column] ?? NaN); });
      });
      apply(cells, 0, cells.length, new Float32Array(rows.buffer, rows.byteOffset, cells.length * width), 0);
    },
  };
}
