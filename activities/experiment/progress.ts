import type { TrainProgress } from '../../contract/frames.js';
import type { Stores } from '../../stores/index.js';
import type { TrialKey } from '../../stores/experiments.js';

const EVERY_MS = 1_000;

/** Keeps where a trial is, at most once a second. Whoever watches may miss one: training does not wait for it, nor fail by it. */
export function createTrialProgress({ experiments }: Pick<Stores, 'experiments'>, at: TrialKey): { seen(progress: TrainProgress): void } {
  let writtenAt = 0;
  return {
    seen({ epoch, epochs, loss }) {
      if (Date.now() - writtenAt < EVERY_MS) return;
      writtenAt = Date.now();
      experiments.setProgress(at, { epoch, epochs, loss }).catch(() => undefined);
    },
  };
}
