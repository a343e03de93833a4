import { expect, test } from 'vitest';
import { decideRetry } from '../../activities/retry.js';
import { PerennialError, type ErrorCode } from '../../contract/errors.js';

const MINUTE = 60_000;
const TRIES = 30;
const retry = (code: ErrorCode, attempt: number, taskQueue = 'compute', isLocal = false) => decideRetry(new PerennialError(code, 'failed'), { attempt, taskQueue, isLocal });
const waited = (code: ErrorCode) => Array.from({ length: TRIES - 1 }, (_, index) => retry(code, index + 1).pauseMs ?? 0).reduce((sum, pause) => sum + pause, 0);

test('work on data outlasts an outage of more than an hour, and goes on within five minutes of its end', () => {
  for (const code of ['storage/unavailable', 'storage/full', 'database/unavailable'] as const) {
    expect(waited(code)).toBeGreaterThan(90 * MINUTE);
    expect(retry(code, 1)).toEqual({ retryable: true, pauseMs: 500 });
    expect(retry(code, TRIES)).toEqual({ retryable: true, pauseMs: 5 * MINUTE });
  }
});

test('the record of a run is written at its own pace, however long PostgreSQL was away', () => {
  expect(retry('database/unavailable', 20, 'lifecycle')).toEqual({ retryable: true, pauseMs: null });
  expect(retry('database/unavailable', 20, 'compute', true)).toEqual({ retryable: true, pauseMs: null });
});

test('what is no outage is tried by its policy, a training that crashes eight times, and a mistake never again', () => {
  expect(retry('test-environment/busy', 3)).toEqual({ retryable: true, pauseMs: null });
  expect([7, 8].map((attempt) => retry('training/crashed', attempt, 'training').retryable)).toEqual([true, false]);
  expect(retry('training/not-finite', 1, 'training')).toEqual({ retryable: false, pauseMs: null });
});

test('the last try that its policy allows is not followed by another, and is not said to be', () => {
  const at = (attempt: number, maximumAttempts?: number) => decideRetry(new PerennialError('test-environment/busy', 'failed'), { attempt, taskQueue: 'compute', isLocal: false, retryPolicy: { ...(maximumAttempts === undefined ? {} : { maximumAttempts }) } }).retryable;
  expect([at(29, TRIES), at(30, TRIES), at(30, 0), at(30)]).toEqual([true, false, true, true]); // none, or 0: for ever
});
