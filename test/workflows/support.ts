import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { QUEUES } from '../../contract/names.js';
import { loadNativeParts } from '../../infra/native.js';
import { quietRuntime } from '../support/temporal-runtime.js';

type Activities = Record<string, (...args: never[]) => unknown>;

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR') });
  return bundle;
}

/** Ends what a test that was given up still asks of its server. */
const asking = new WeakMap<TestWorkflowEnvironment, AbortController>();

/** A time-skipping Temporal server: a wait of seven days takes milliseconds. */
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const path = loadNativeParts().temporalTestServer;
  if (!path) throw new Error('the time-skipping server is missing: run `node infra/setup/main.mjs --dev`');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
  asking.set(environment, new AbortController());
  return environment;
}

/** Ends the server. A call that waits for its next try when its connection closes would throw where nobody catches it. */
export async function endTimeSkipping(environment: TestWorkflowEnvironment): Promise<void> {
  asking.get(environment)?.abort();
  await environment.teardown();
}

/**
 * Runs `story` while workers answer all queues with these activities, then replays the history of every workflow that ran:
 * a workflow that would not decide the same again fails here.
 */
export async function withWorkers<T>(environment: TestWorkflowEnvironment, activities: Activities, story: () => Promise<T>): Promise<T> {
  const workflowBundleOption = await workflowBundle();
  const shared = { connection: environment.nativeConnection, ...(environment.namespace ? { namespace: environment.namespace } : {}), activities };
  const workers = [
    await Worker.create({ ...shared, taskQueue: QUEUES.lifecycle, workflowBundle: workflowBundleOption }),
    await Worker.create({ ...shared, taskQueue: QUEUES.compute }),
    await Worker.create({ ...shared, taskQueue: QUEUES.training }),
  ];
  const running = workers.map((worker) => worker.run());
  try {
    const signal = asking.get(environment)?.signal;
    return await (signal ? environment.connection.withAbortSignal(signal, story) : story());
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
}

/** Replays a workflow's history against the present code; throws when it would decide differently. */
export async function replay(environment: TestWorkflowEnvironment, workflowId: string): Promise<void> {
  const history = await environment.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
}
