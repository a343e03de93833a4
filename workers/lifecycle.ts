import { createAdmissionActivities } from '../activities/admission/index.js';
import { createApproveActivities } from '../activities/approve/index.js';
import { createExperimentRecordActivities } from '../activities/experiment/index.js';
import { createNotifyActivities } from '../activities/notify/index.js';
import { createMailSender } from '../activities/notify/sender.js';
import { createRecordActivities } from '../activities/record/index.js';
import { withHeartbeats } from '../activities/heartbeat.js';
import { createRegisterActivities } from '../activities/register/index.js';
import { createReleaseActivities } from '../activities/release/index.js';
import { createDiscardActivities } from '../activities/train/discard.js';
import { QUEUES } from '../contract/names.js';
import { createReproduceRecordActivities } from '../activities/reproduce/index.js';
import { runWorker, workflowBundle } from './run-worker.js';

/** Workflows and light activities, and the sender of the outbox's mails. */
await runWorker('lifecycle', async ({ deps }) => ({
  taskQueue: QUEUES.lifecycle,
  workflowBundle: await workflowBundle(),
  activities: {
    ...createRecordActivities(deps), ...createAdmissionActivities(deps), ...createReleaseActivities(deps),
    ...withHeartbeats({ ...createRegisterActivities(deps), ...createNotifyActivities(deps), ...createApproveActivities(deps), ...createReproduceRecordActivities(deps), ...createExperimentRecordActivities(deps), ...createDiscardActivities(deps) }),
  },
  maxCachedWorkflows: 100,
}), ({ deps, config }) => [
  createMailSender({ stores: deps.stores, smtpUrl: config.smtpUrl, log: (message) => process.stderr.write(`${message}\n`) }),
]);
