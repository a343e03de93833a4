import { IllegalStateError } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';

/** Temporal's runtime is one per process, which test files share: the first installs it, and it tells errors only. */
export function quietRuntime(): void {
  try {
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error; // it is there
  }
}
