import type { TrainProgress } from '../../contract/frames.js';
import type { Stores } from '../../stores/index.js';

const EVERY_MS = 1_000;

/** Keeps where a second training is, at most once a second. Whoever watches may miss one: training does not wait for it, nor fail by it. */
export function createRebuildProgress({ reproductions }: Stores, id: string): { seen(progress: TrainProgress): void } {
  let writtenAt = 0;
  return {
    seen(progress) {
      if (Date.now() - writtenAt < EVERY_MS) return;
      writtenAt = Date.now();
      reproductions.setProgress(id, progress).catch(() => undefined);
    },
  };
}
