import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { createFailureInterceptor } from '../activities/failures.js';
import { wire } from './wire.js';
import type { Wired } from './wire.js';

/** The workflow bundle that the build makes once; made here when it is missing. */
export async function workflowBundle(): Promise<{ code: string }> {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  try {
    return { code: await readFile(built, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)) });
  }
}

/** Settings that all workers share. A worker that is told to stop lets running activities finish or report for `shutdownGraceTime`. */
export const SHARED = { shutdownGraceTime: '8s', shutdownForceTime: '15s', maxHeartbeatThrottleInterval: '1s', defaultHeartbeatThrottleInterval: '1s' } as const satisfies Partial<WorkerOptions>;

/**
 * Worker Versioning, where a deployment names itself (`PERENNIAL_DEPLOYMENT`, `PERENNIAL_BUILD_ID`): a workflow goes on with the
 * build that is current, and histories that a change would break are kept apart by `patched`.
 */
function versioning(): Partial<WorkerOptions> {
  const { PERENNIAL_DEPLOYMENT: deploymentName, PERENNIAL_BUILD_ID: buildId } = process.env;
  if (!deploymentName || !buildId) return {};
  return { workerDeploymentOptions: { useWorkerVersioning: true, version: { deploymentName, buildId }, defaultVersioningBehavior: 'AUTO_UPGRADE' } };
}

/** Runs a worker process until SIGTERM or SIGINT, and tells the supervisor when it polls. */
export async function runWorker(name: string, options: (wired: Wired) => Promise<Omit<WorkerOptions, 'connection' | 'namespace'>> | Omit<WorkerOptions, 'connection' | 'namespace'>, beside: (wired: Wired) => { close(): Promise<void> }[] = () => []): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  const wired = await wire(name);
  const given = await options(wired);
  const worker = await Worker.create({
    ...SHARED, ...versioning(), connection: wired.connection, namespace: wired.config.temporal.namespace,
    interceptors: { activity: [createFailureInterceptor(wired.deps)] },
    ...given,
  });
  const services = beside(wired);
  const stop = () => { if (worker.getState() === 'RUNNING') worker.shutdown(); };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const running = worker.run();
  process.send?.({ ready: true });
  process.stdout.write('ready\n');
  try {
    await running;
  } finally {
    for (const service of services) await service.close();
    await wired.close();
  }
}
