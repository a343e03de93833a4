import type { ActivityDeps } from '../deps.js';
import { createGovernorRecord } from './governor.js';
import { createPlanRecord } from './plan.js';
import { createProgressRecord } from './progress.js';
import { createTrainedRecord } from './trained.js';

export type { GovernorPolicy, StartedRun } from './governor.js';
export type { RunPlan } from './plan.js';
export type { EndStatus } from './progress.js';
export type { TrainedBefore } from './trained.js';

export type RecordActivities = ReturnType<typeof createRecordActivities>;

/** Short reads and writes of a run's record. Each is one idempotent statement or reads only, so running twice changes nothing. */
export function createRecordActivities(deps: ActivityDeps) {
  return { ...createGovernorRecord(deps), ...createPlanRecord(deps), ...createProgressRecord(deps), ...createTrainedRecord(deps) };
}
