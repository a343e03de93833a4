import type { RunStep } from '../../contract/run.js';
import type { TrainProgress } from '../../contract/frames.js';
import { metricText } from '../../domain/metrics.js';
import type { Stores } from '../../stores/index.js';

const EVERY_MS = 500;

/** Accuracy, or the mean absolute error. */
function shownFigure({ accuracy, mae }: TrainProgress): string {
  return accuracy === null ? `mae ${metricText('mae', mae ?? NaN)}` : `accuracy ${accuracy.toFixed(4)}`;
}

/** Writes a run's live progress, at most twice a second; what could not be written is dropped. `of`: what is trained, where that is not the network itself. */
export function createProgressLog({ stores, run, step, attempt, of = '' }: { stores: Stores; run: string; step: RunStep; attempt: string; of?: string }) {
  let newest: TrainProgress | undefined;
  let writtenAt = 0;
  let count = 0;
  let writing: Promise<void> = Promise.resolve();
  let unwritten = false;

  const write = (kind: 'progress' | 'note', message: string, data: Record<string, unknown>) => {
    count += 1;
    const event = { run, eventId: `${step}-${attempt}-${count}`, at: new Date().toISOString(), kind, step, message, data };
    // Progress is a courtesy to whoever watches: training does not wait for it, nor fail by it.
    writing = writing.then(() => stores.runs.appendEvent(event)).then(() => undefined, () => undefined);
    return writing;
  };
  const writeNewest = () => {
    if (!newest || !unwritten) return writing;
    unwritten = false;
    writtenAt = Date.now();
    const { epoch, epochs, loss } = newest;
    return write('progress', `${of}epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}, ${shownFigure(newest)}`, { ...newest });
  };

  return {
    seen(progress: TrainProgress): void {
      newest = progress;
      unwritten = true;
      if (Date.now() - writtenAt >= EVERY_MS) void writeNewest();
    },
    note: (message: string) => write('note', `${of}${message}`, {}),
    flush: () => writeNewest(),
  };
}
