import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { finishScore } from './finish.js';
import type { ScoreResult } from './finish.js';
import { scorePartition } from './partition.js';
import type { PartitionRequest } from './partition.js';
import { planScore } from './plan.js';
import type { ScorePlan, ScoreRequest } from './plan.js';
import { createRunners } from './runners.js';

export type { ScoreResult } from './finish.js';
export type ScoreActivities = ReturnType<typeof createScoreActivities>;

/** Batch scoring: exactly one prediction per input row, whatever is tried again. */
export function createScoreActivities(deps: ActivityDeps) {
  const runners = createRunners(deps.tfjsNode);
  return {
    /** The plan is written once per job; a second call finds it. */
    planScore: (request: ScoreRequest): Promise<ScorePlan> => heartbeating((signal) => planScore(deps, request, signal)),

    /** A partition that is done is not done again; its file is written once, and its predictions' ids follow from job and row. */
    async scorePartition(request: PartitionRequest): Promise<void> {
      let rows = 0;
      await heartbeating((signal) => scorePartition(deps, runners, request, signal, (more) => { rows += more; }), () => ({ rows }));
    },

    /** The same partitions give the same manifest. */
    finishScore: (request: { readonly job: string }): Promise<ScoreResult> => finishScore(deps, request),
  };
}
