import { createVariantTrainingActivities } from '../activities/compress/training.js';
import { createTrialActivities } from '../activities/experiment/index.js';
import { createRebuildActivities } from '../activities/reproduce/index.js';
import { createTrainActivities } from '../activities/train/index.js';
import { QUEUES } from '../contract/names.js';
import { runWorker } from './run-worker.js';

/** One training at a time; scale by adding processes. */
await runWorker('training', ({ deps }) => ({
  taskQueue: QUEUES.training,
  activities: { ...createTrainActivities(deps), ...createVariantTrainingActivities(deps), ...createRebuildActivities(deps), ...createTrialActivities(deps) },
  maxConcurrentActivityTaskExecutions: 1,
}));
