import { hostname } from 'node:os';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, ActivityInterceptorsFactory, Next } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import { diskFull } from '../contract/disk-full.js';
import { PerennialError } from '../contract/errors.js';
import type { ActivityDeps } from './deps.js';
import { decideRetry } from './retry.js';

type Deps = Pick<ActivityDeps, 'stores' | 'scratch'>;

/**
 * Turns errors of the registry into Temporal's failures: the code is the type, a retry happens only where it can help, and the
 * first detail is what `perennial show` prints. A failed attempt of a run's activity is also a line in the run's progress, so
 * that a run which waits for a full disk or a lost database says so.
 */
export function createFailureInterceptor(deps: Deps): ActivityInterceptorsFactory {
  return (context: Context) => ({ inbound: new FailureInterceptor(context, deps) });
}

class FailureInterceptor implements ActivityInboundCallsInterceptor {
  constructor(private readonly context: Context, private readonly deps: Deps) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    try {
      return await next(input);
    } catch (thrown) {
      const error = this.ofRegistry(thrown);
      if (!error) throw thrown;
      const { retryable, pauseMs } = decideRetry(error, this.context.info);
      await this.tell(input, error, retryable);
      throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: !retryable, details: [error.toJSON()], cause: error, ...(pauseMs === null ? {} : { nextRetryDelay: pauseMs }) });
    }
  }

  /** The error as the registry knows it: its own kind, or a full disk. Of several machines the full one is named. */
  private ofRegistry(thrown: unknown): PerennialError | null {
    const error = diskFull(thrown, `a file in ${this.deps.scratch}`) ?? thrown;
    if (!(error instanceof PerennialError)) return null;
    return error.code === 'storage/full' ? new PerennialError(error.code, `${error.message} (on ${hostname()})`, error.details, { cause: error }) : error;
  }

  private async tell(input: ActivityExecuteInput, error: PerennialError, retryable: boolean): Promise<void> {
    const [first] = input.args;
    const run = typeof first === 'object' && first !== null ? (first as { run?: unknown }).run : undefined;
    if (typeof run !== 'string' || error.code === 'database/unavailable') return;
    const { activityType, activityId, attempt } = this.context.info;
    try {
      await this.deps.stores.runs.appendEvent({
        run, eventId: `error-${activityType}-${activityId}-${attempt}`, at: new Date().toISOString(), kind: 'error',
        message: `${error.message}${retryable ? ` (attempt ${attempt}, it is tried again)` : ''}`, data: { code: error.code, next: error.next, attempt },
      });
    } catch (cause) {
      // Telling is a courtesy; the failure itself must reach Temporal.
      this.context.log.warn('could not record a failed attempt', { run, cause: String(cause) });
    }
  }
}
