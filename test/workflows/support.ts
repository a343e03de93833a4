import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { QUEUES } from '../../contract/names.js';
import { loadNativeParts } from '../../infra/native.js';

type Activities = Record<string, (...args: never[]) => unknown>;

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR') });
  return bundle;
}

/** A time-skipping Temporal server: a wait of seven days takes milliseconds. */
let installed = false;
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
  installed = true;
  const path = loadNativeParts().temporalTestServer;
  if (!path) throw new Error('the time-skipping server is missing: run `node infra/setup/main.mjs --dev`');
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
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
    return await story();
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
