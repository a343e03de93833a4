import type { ActivityDeps } from '../deps.js';
import { discardCheckpoints } from './checkpoints.js';

export type DiscardActivities = ReturnType<typeof createDiscardActivities>;

/** What is left of a training when its run is over. */
export function createDiscardActivities({ artifacts }: Pick<ActivityDeps, 'artifacts'>) {
  return {
    /** Removes the run's checkpoints, of every attempt: nobody goes on from them any more. */
    async discardCheckpoints({ run }: { run: string }): Promise<void> {
      await discardCheckpoints(artifacts, run);
    },
  };
}
