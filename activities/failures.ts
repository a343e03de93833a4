import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, ActivityInterceptorsFactory, Next } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import { PerennialError } from '../contract/errors.js';
import type { Stores } from '../stores/index.js';

/**
 * Turns errors of the registry into Temporal's failures: the code is the type, a retry happens only where it can help, and the
 * first detail is what `perennial show` prints. A failed attempt of a run's activity is also a line in the run's progress, so
 * that a run which waits for a full disk or a lost database says so.
 */
export function createFailureInterceptor(stores: Stores): ActivityInterceptorsFactory {
  return (context: Context) => ({ inbound: new FailureInterceptor(context, stores) });
}

/** The error as the registry knows it: its own kind, or a full disk, which ends when somebody makes room. */
function ofRegistry(thrown: unknown): PerennialError | null {
  if (thrown instanceof PerennialError) return thrown;
  const { code, path } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new PerennialError('storage/unavailable', `the disk is full${path === undefined ? '' : ` at ${path}`}`, {}, { cause: thrown });
  return null;
}

class FailureInterceptor implements ActivityInboundCallsInterceptor {
  constructor(private readonly context: Context, private readonly stores: Stores) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    try {
      return await next(input);
    } catch (thrown) {
      const error = ofRegistry(thrown);
      if (!error) throw thrown;
      await this.tell(input, error);
      throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: !error.retryable, details: [error.toJSON()], cause: error });
    }
  }

  private async tell(input: ActivityExecuteInput, error: PerennialError): Promise<void> {
    const [first] = input.args;
    const run = typeof first === 'object' && first !== null ? (first as { run?: unknown }).run : undefined;
    if (typeof run !== 'string' || error.code === 'database/unavailable') return;
    const { activityType, activityId, attempt } = this.context.info;
    try {
      await this.stores.runs.appendEvent({
        run, eventId: `error-${activityType}-${activityId}-${attempt}`, at: new Date().toISOString(), kind: 'error',
        message: `${error.message}${error.retryable ? ` (attempt ${attempt}, it is tried again)` : ''}`, data: { code: error.code, next: error.next, attempt },
      });
    } catch (cause) {
      // Telling is a courtesy; the failure itself must reach Temporal.
      this.context.log.warn('could not record a failed attempt', { run, cause: String(cause) });
    }
  }
}
