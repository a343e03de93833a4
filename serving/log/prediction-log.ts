import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServingError } from '../errors.js';
import { ownFolderName } from './owner.js';
import { encodeRecord, type LoggedRequest } from './record.js';
import { CLOSED, createSegmentWriter, OPEN } from './segment-writer.js';
import { shipAll, type Sink } from './shipper.js';

export interface PredictionLogOptions {
  /** Folder of this replica's segments. */
  dir: string;
  sink: Sink;
  /** How often what was written is copied to the database. */
  shipEveryMs?: number;
  /** Bytes of unshipped segments after which requests are refused with 503. */
  maximumBytes?: number;
  segmentBytes?: number;
  onProblem: (message: string, error: unknown) => void;
}

export interface PredictionLog {
  /** Resolves once the request's predictions would survive this process being killed; 503 where they would not. */
  append(request: LoggedRequest): Promise<void>;
  /** Bytes on disk that are not in the database, and for how long the oldest of them has waited. */
  lag(): { bytes: number; seconds: number; shipped: number };
  /** Copies what is left (for up to `waitMs`), closes the segment. What cannot be copied is copied by the next process. */
  close(waitMs?: number): Promise<void>;
}

const RETRY = { firstMs: 250, maximumMs: 2_000 } as const;

/**
 * Predictions on their way to PostgreSQL: appended to a local segment before the answer leaves, copied in batches. A database
 * that is away delays the log and loses nothing.
 */
export async function createPredictionLog(options: PredictionLogOptions): Promise<PredictionLog> {
  const { dir, shipEveryMs = 200, maximumBytes = 4 * 1024 ** 3, segmentBytes = 8 * 1024 ** 2 } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const own = ownFolderName();
  const writer = createSegmentWriter(join(dir, own), { segmentBytes });
  let bytes = await bytesBelow(dir);
  let oldest: number | null = bytes > 0 ? Date.now() : null;
  let shipped = 0;
  let closing = false;
  let retryMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  let reported = false;

  async function ship(): Promise<void> {
    const startedAt = Date.now();
    await writer.rotate();
    await shipAll({
      dir, own, sink: options.sink, batchRows: 500, batchBytes: 4 * 1024 ** 2, onProblem: options.onProblem,
      onShipped: (segmentBytesShipped, rows) => {
        bytes = Math.max(0, bytes - segmentBytesShipped);
        shipped += rows;
      },
    });
    oldest = bytes > 0 ? startedAt : null;
  }

  async function shipOnce(): Promise<boolean> {
    try {
      await ship();
      if (reported) options.onProblem('the prediction log is being copied again', undefined);
      reported = false;
      retryMs = 0;
      return true;
    } catch (error) {
      if (!reported) options.onProblem('the prediction log waits on disk until it can be copied', error);
      reported = true;
      retryMs = Math.min(RETRY.maximumMs, Math.max(RETRY.firstMs, retryMs * 2));
      return false;
    }
  }

  function schedule(): void {
    if (closing) return;
    timer = setTimeout(() => {
      round = shipOnce().then(schedule);
    }, retryMs || shipEveryMs);
  }
  schedule();

  return {
    async append(request) {
      if (bytes >= maximumBytes) throw new ServingError(503, 'The prediction log is full: the database has been away for too long.', { retryAfter: 5 });
      const parts = encodeRecord(request);
      await writer.append(parts);
      bytes += 8 + parts.reduce((sum, part) => sum + part.length, 0);
      oldest ??= Date.now();
    },
    lag: () => ({ bytes, seconds: oldest === null ? 0 : (Date.now() - oldest) / 1000, shipped }),
    async close(waitMs = 5_000) {
      closing = true;
      clearTimeout(timer);
      await round;
      await writer.close();
      const until = Date.now() + waitMs;
      while (!(await shipOnce()) && Date.now() + retryMs < until) await new Promise((wake) => setTimeout(wake, retryMs));
    },
  };
}

/** Size of what waits to be copied. A process that is just ending may still close or remove its files meanwhile. */
async function bytesBelow(dir: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !(entry.name.endsWith(OPEN) || entry.name.endsWith(CLOSED))) continue;
    try {
      sum += (await stat(join(entry.parentPath, entry.name))).size;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return sum;
}
