import { createCompressActivities } from '../activities/compress/index.js';
import { createDataActivities } from '../activities/data/index.js';
import { createDeployActivities } from '../activities/deploy/index.js';
import { createEvaluateActivities } from '../activities/evaluate/index.js';
import { createExperimentReadActivities } from '../activities/experiment/index.js';
import { createFeatureActivities } from '../activities/features/index.js';
import { withHeartbeats } from '../activities/heartbeat.js';
import { createArchiveActivities } from '../activities/archive/index.js';
import { createMonitorActivities } from '../activities/monitor/index.js';
import { createPackageActivities } from '../activities/package/index.js';
import { createJudgeReproductionActivities } from '../activities/reproduce/index.js';
import { createScoreActivities } from '../activities/score/index.js';
import { createSourceActivities } from '../activities/source/index.js';
import { QUEUES } from '../contract/names.js';
import { runWorker } from './run-worker.js';

/** Commits, snapshots, evaluation, packaging, tests over HTTP, scoring and checks. */
await runWorker('compute', ({ deps, config }) => ({
  taskQueue: QUEUES.compute,
  activities: {
    ...createSourceActivities(deps), ...createDataActivities(deps), ...createEvaluateActivities(deps), ...createPackageActivities(deps),
    ...createDeployActivities(deps), ...withHeartbeats(createMonitorActivities(deps)), ...createScoreActivities(deps), ...createArchiveActivities(deps, { keepDays: config.predictionDays }),
    ...createCompressActivities(deps), ...createJudgeReproductionActivities(deps), ...createFeatureActivities(deps), ...createExperimentReadActivities(deps),
  },
  maxConcurrentActivityTaskExecutions: 4,
}));
