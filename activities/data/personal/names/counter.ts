import { Worker } from 'node:worker_threads';
import { builtFile } from '../../../../runtime/child/program-path.js';
import type { NameCounts } from './decide.js';

/** Counts names in texts. `close()` it. */
export interface NameCounter {
  /** Of one column after the other. */
  count(texts: readonly string[]): Promise<NameCounts>;
  close(): Promise<void>;
}

/** In a thread of its own: reading the lists of names takes half a second, in which nothing else would go on here, and memory that is free once it is closed. */
export function createNameCounter(): NameCounter {
  const thread = new Worker(builtFile('activities/data/personal/names/name-thread.js'), { resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 } });
  let waiting: { resolve: (counts: NameCounts) => void; reject: (error: Error) => void } | null = null;
  let failed: Error | null = null;
  const fail = (error: Error) => {
    failed ??= error;
    waiting?.reject(failed);
    waiting = null;
  };
  thread.on('message', (counts: NameCounts) => {
    waiting?.resolve(counts);
    waiting = null;
  });
  thread.on('error', fail);
  thread.on('exit', () => { fail(new Error('the thread that looks for names has ended')); });
  return {
    count: (texts) => new Promise((resolve, reject) => {
      if (failed) return reject(failed);
      waiting = { resolve, reject };
      thread.postMessage(texts);
    }),
    close: async () => { await thread.terminate(); },
  };
}
