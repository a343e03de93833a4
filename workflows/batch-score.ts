import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../contract/names.js';
import type { ScoreActivities, ScoreResult } from '../activities/score/index.js';

export interface BatchScoreInput {
  readonly v: 1; readonly model: string; readonly job: string; readonly version: number; readonly input: string; readonly by: string;
  /** Set when the story goes on in a new history: partitions before this one are done. */
  readonly from?: number;
}

const score = proxyActivities<ScoreActivities>({
  taskQueue: QUEUES.compute, startToCloseTimeout: '2h', heartbeatTimeout: '30s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 30 },
});

const AT_ONCE = 4;
/** A partition is three events: a history stays well below Temporal's warning at 10,000. */
const PARTITIONS_PER_HISTORY = 1_000;

/** Scores a file: plan, every partition once, manifest. Killed anywhere, it goes on with the partitions that are missing. */
export async function batchScore(request: BatchScoreInput): Promise<ScoreResult> {
  const { job, model, version, input, by, from = 0 } = request;
  const { partitions } = await score.planScore({ job, model, version, input, by });

  const until = Math.min(partitions, from + PARTITIONS_PER_HISTORY);
  let next = from;
  const scoreNext = async (): Promise<void> => {
    while (next < until) {
      const partition = next;
      next += 1;
      await score.scorePartition({ job, partition });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scoreNext));
  if (until < partitions) return continueAsNew<typeof batchScore>({ ...request, from: until });

  return score.finishScore({ job });
}
