import { appendFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import { frame } from './frames.js';
import { encodeRecord, isRefusal, predictionsOf, type LoggedPrediction, type LoggedRecord } from './record.js';
import type { LoggedRefusal } from './refusal.js';
import { completeSegments, discardSegment, orphanedFolders, readSegment, removeIfEmpty } from './segments.js';

export interface Shipment { readonly predictions: readonly LoggedPrediction[]; readonly refusals: readonly LoggedRefusal[] }
/** Where shipped predictions and refusals go; a row whose id is already there is left as it is. */
export type Sink = (shipment: Shipment) => Promise<void>;

export interface ShipperOptions {
  dir: string;
  /** Name of this process's own folder in `dir`. */
  own: string;
  sink: Sink;
  /** Whether to copy what ended processes left as well; of several processes that share `dir` one does. */
  orphans: boolean;
  batchRows: number;
  batchBytes: number;
  onShipped: (bytes: number, rows: number, isOrphan: boolean) => void;
  onProblem: (message: string, error: unknown) => void;
}

/**
 * Copies every complete segment, oldest first, and deletes it only then. Copying twice is harmless: ids are unique.
 * Rejects where the database is away; what is not shipped stays.
 */
export async function shipAll(options: ShipperOptions): Promise<void> {
  const orphaned = options.orphans ? await orphanedFolders(options.dir, options.own) : [];
  for (const folder of [...orphaned.sort(), join(options.dir, options.own)]) {
    const isOrphan = basename(folder) !== options.own;
    for (const segment of await completeSegments(folder, isOrphan)) {
      const { records, damaged } = await readSegment(segment.path);
      let rows = 0;
      for (const batch of batches(records, options.batchRows, options.batchBytes)) rows += await shipBatch(batch, options);
      const lost = damaged();
      if (lost > 0) options.onProblem(`${lost} records of ${segment.path} are damaged; the file is kept as ${basename(segment.path)}.damaged`, undefined);
      await discardSegment(segment.path, lost > 0);
      options.onShipped(segment.bytes, rows, isOrphan);
    }
    if (isOrphan) await removeIfEmpty(folder);
  }
}

function* batches(records: Iterable<LoggedRecord>, maximumRows: number, maximumBytes: number): Generator<LoggedRecord[]> {
  let batch: LoggedRecord[] = [];
  let rows = 0;
  let bytes = 0;
  for (const record of records) {
    const [ofRows, ofBytes] = isRefusal(record) ? [1, 0] : [record.ids.length, record.input.byteLength];
    if (batch.length > 0 && (rows + ofRows > maximumRows || bytes + ofBytes > maximumBytes)) {
      yield batch;
      [batch, rows, bytes] = [[], 0, 0];
    }
    batch.push(record);
    rows += ofRows;
    bytes += ofBytes;
  }
  if (batch.length > 0) yield batch;
}

/** Records that the database refuses (not: is away) are set aside in `refused.frames`, so that they cannot hold up the others for ever; it is said once a batch. */
async function shipBatch(batch: readonly LoggedRecord[], options: ShipperOptions): Promise<number> {
  try {
    return await ship(batch, options.sink);
  } catch (error) {
    if (isAway(error)) throw error;
  }
  let rows = 0;
  let refused = 0;
  let first: { readonly record: LoggedRecord; readonly cause: unknown } | null = null;
  try {
    for (const record of batch) {
      try {
        rows += await ship([record], options.sink);
      } catch (cause) {
        if (isAway(cause)) throw cause;
        await appendFile(join(options.dir, 'refused.frames'), Buffer.concat(frame(encodeRecord(record))), { mode: 0o600 });
        refused += 1;
        first ??= { record, cause };
      }
    }
  } finally {
    if (first) options.onProblem(`the database refused ${refused} of ${batch.length} records, first ${isRefusal(first.record) ? 'the refusal' : 'the predictions'} of request ${first.record.requestId}; they are kept in refused.frames`, first.cause);
  }
  return rows;
}

const isAway = (error: unknown): boolean => error instanceof PerennialError && error.retryable;

async function ship(batch: readonly LoggedRecord[], sink: Sink): Promise<number> {
  const predictions = batch.flatMap((record) => (isRefusal(record) ? [] : predictionsOf(record)));
  await sink({ predictions, refusals: batch.filter(isRefusal) });
  return predictions.length;
}
