import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, isCancellation, rootCause } from '@temporalio/workflow';
import type { RunError } from '../../contract/run.js';

/** What ended a step, as `perennial show` explains it. Activities put `{code, message, next, details}` of the error registry into the failure's details. */
export function toRunError(error: unknown): RunError {
  const failure = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (failure instanceof ApplicationFailure) {
    const [first] = failure.details ?? [];
    if (isRunError(first)) return first;
    return { code: failure.type ?? 'unexpected', message: failure.message, next: 'See the log of the worker; `perennial status` says where it is.' };
  }
  return { code: 'unexpected', message: rootCause(error) ?? String(error), next: 'See the log of the worker; `perennial status` says where it is.' };
}

function isRunError(value: unknown): value is RunError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value && 'next' in value;
}

export { isCancellation };
