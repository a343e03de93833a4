import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServingError } from '../errors.js';
import type { LogPolicy } from '../../stores/models.js';
import type { PredictionGap } from '../../stores/predictions.js';
import type { Copier } from './copier.js';
import { createGaps } from './gaps.js';
import { ownFolderName } from './owner.js';
import { encodeRecord, type LoggedRecord, type LoggedRequest } from './record.js';
import type { LoggedRefusal } from './refusal.js';
import { createSegmentWriter } from './segment-writer.js';
import { completeSegments, orphanedFolders } from './segments.js';

export interface PredictionLogOptions {
  /** Folder of this replica's segments. */
  dir: string;
  /** Brings segments to the database. The log closes it. */
  copier: Copier;
  /** Whether this process also copies what ended processes left in `dir`; of several that share it one does. True unless told. */
  orphans?: boolean;
  /** Where counts of predictions go that were answered and not logged. */
  noteGaps?: (gaps: readonly PredictionGap[]) => Promise<void>;
  /** How often what was written is copied to the database. */
  shipEveryMs?: number;
  /** Bytes of unshipped segments after which requests are refused with 503, or dropped from the log, as their model's policy says. */
  maximumBytes?: number;
  segmentBytes?: number;
  onProblem: (message: string, error: unknown) => void;
}

export interface PredictionLog {
  /** Resolves once the request's predictions would survive this process being killed; where they would not, 503, or with `drop` they are counted. */
  append(request: LoggedRequest, whenFull?: LogPolicy['whenFull']): Promise<void>;
  /** Resolves once the refusal would survive this process being killed. One for which there is no room is counted: its answer leaves all the same. */
  appendRefusal(refusal: LoggedRefusal): Promise<void>;
  /** Bytes on disk that are not in the database, and for how long the oldest of them has waited. */
  lag(): { bytes: number; seconds: number; shipped: number };
  /** Refusals for which there was no room, or that could not be written, since the start. */
  readonly lostRefusals: number;
  /** Predictions that were answered and not logged since the start, by model. */
  readonly dropped: ReadonlyMap<string, number>;
  /** Copies what is left (for up to `waitMs`), closes the segment. What cannot be copied is copied by the next process. */
  close(waitMs?: number): Promise<void>;
}

/** What is left of the room when refusals are no longer taken: a flood of them shall not cost predictions. */
const FOR_PREDICTIONS = 0.1;
const RETRY = { firstMs: 250, maximumMs: 2_000 } as const;

/**
 * Predictions on their way to PostgreSQL: appended to a local segment before the answer leaves, copied in batches. A database
 * that is away delays the log and loses nothing.
 */
export async function createPredictionLog(options: PredictionLogOptions): Promise<PredictionLog> {
  const { dir, copier, orphans = true, shipEveryMs = 200, maximumBytes = 4 * 1024 ** 3, segmentBytes = 8 * 1024 ** 2 } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const own = ownFolderName();
  const writer = createSegmentWriter(join(dir, own), { segmentBytes });
  let bytes = 0;
  /** Of ended processes, as of the last round. */
  let left = orphans ? await bytesLeft(dir, own) : 0;
  let oldest: number | null = left > 0 ? Date.now() : null;
  let shipped = 0;
  let closing = false;
  let retryMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  let reported = false;
  let lostRefusals = 0;
  const gaps = createGaps();

  async function write(record: LoggedRecord): Promise<void> {
    const parts = encodeRecord(record);
    await writer.append(parts);
    bytes += 8 + parts.reduce((sum, part) => sum + part.length, 0);
    oldest ??= Date.now();
  }

  async function ship(): Promise<void> {
    const startedAt = Date.now();
    await writer.rotate();
    if (orphans) left = await bytesLeft(dir, own);
    await copier.copy({
      dir, own, orphans, onProblem: options.onProblem,
      onShipped: (segmentBytesShipped, rows, isOrphan) => {
        if (isOrphan) left = Math.max(0, left - segmentBytesShipped);
        else bytes = Math.max(0, bytes - segmentBytesShipped);
        shipped += rows;
      },
    });
    oldest = bytes + left > 0 ? startedAt : null;
    if (options.noteGaps) await gaps.note(options.noteGaps);
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
    async append(request, whenFull = 'refuse') {
      try {
        if (bytes + left >= maximumBytes) throw new ServingError(503, 'The prediction log is full: the database has been away for too long.', { retryAfter: 5 });
        await write(request);
      } catch (error) {
        if (whenFull === 'refuse') throw error;
        if (!gaps.totals.has(request.model)) options.onProblem(`predictions of ${request.model} are answered and not logged; they are counted`, error);
        gaps.count(request);
      }
    },
    async appendRefusal(refusal) {
      try {
        if (bytes + left < maximumBytes * (1 - FOR_PREDICTIONS)) return await write(refusal);
      } catch (error) {
        if (lostRefusals === 0) options.onProblem('refusals cannot be logged; they are counted', error);
      }
      lostRefusals += 1;
    },
    dropped: gaps.totals,
    get lostRefusals() { return lostRefusals; },
    lag: () => ({ bytes: bytes + left, seconds: oldest === null ? 0 : (Date.now() - oldest) / 1000, shipped }),
    async close(waitMs = 5_000) {
      closing = true;
      clearTimeout(timer);
      await round;
      await writer.close();
      const until = Date.now() + waitMs;
      while (!(await shipOnce()) && Date.now() + retryMs < until) await new Promise((wake) => setTimeout(wake, retryMs));
      await copier.close();
      if (gaps.untold > 0) options.onProblem(`${gaps.untold} predictions were answered and not logged, which PostgreSQL could not be told`, undefined);
    },
  };
}

/** Size of what ended processes left to be copied. Whoever copies may remove files meanwhile. */
async function bytesLeft(dir: string, own: string): Promise<number> {
  let sum = 0;
  for (const folder of await orphanedFolders(dir, own)) {
    try {
      for (const segment of await completeSegments(folder, true)) sum += segment.bytes;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return sum;
}
