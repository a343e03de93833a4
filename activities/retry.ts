import type { ErrorCode, PerennialError } from '../contract/errors.js';
import { QUEUES } from '../contract/names.js';

/** Ended by making room or by starting what is away, which may take an operator an hour: tries come further and further apart. */
const OUTAGES: readonly ErrorCode[] = ['storage/unavailable', 'storage/full', 'database/unavailable', 'temporal/unavailable', 'test-environment/unavailable', 'repository/unreachable', 'source/unavailable', 'features/not-ready'];
const OUTAGE_PAUSE = { firstMs: 500, longestMs: 300_000 };
/** A training that crashes this often will crash again. */
const MOST_CRASHES = 8;

export interface FailedTry { readonly attempt: number; readonly taskQueue: string; readonly isLocal: boolean; readonly retryPolicy?: { readonly maximumAttempts?: number } }
export interface Retry {
  readonly retryable: boolean;
  /** Null where the activity's own retry policy says it: short writes of the lifecycle worker are tried at the same pace for ever. */
  readonly pauseMs: number | null;
}

/** Whether a failed activity is tried again, and after how long. */
export function decideRetry({ code, retryable }: Pick<PerennialError, 'code' | 'retryable'>, { attempt, taskQueue, isLocal, retryPolicy }: FailedTry): Retry {
  const last = attempt >= (retryPolicy?.maximumAttempts || Infinity);
  const patient = isLocal || taskQueue === QUEUES.lifecycle;
  return {
    retryable: retryable && !last && !(code === 'training/crashed' && attempt >= MOST_CRASHES),
    pauseMs: patient || !OUTAGES.includes(code) ? null : Math.min(OUTAGE_PAUSE.longestMs, OUTAGE_PAUSE.firstMs * 2 ** (attempt - 1)),
  };
}
