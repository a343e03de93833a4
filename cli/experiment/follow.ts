import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ExperimentView } from '../../contract/experiment.js';
import type { Context } from '../command.js';
import { CommandError } from '../errors.js';
import { movingLine, trialLine } from './text.js';

export const Started = z.object({ experiment: z.string(), model: z.string(), commit: z.string(), trials: z.int() });
export type Started = z.infer<typeof Started>;
export const Cancelled = z.object({ experiment: z.string(), cancelled: z.boolean() });

const POLL_MS = 1_000;
/** A worker writes the experiment's row; until one did, the experiment is not known. A gateway that is being restarted is waited for as long. */
const AWAY_MS = 60_000;

interface Follow {
  /** Called when the commit was read, or could not be. */
  readonly onRead: () => Promise<void>;
  /** Whether to stop there. */
  readonly untilRead?: boolean;
}

/**
 * Until the experiment has ended: a line for each training, and on a terminal a moving one for the present. An interrupt cancels the
 * experiment and waits for its end; a second one leaves it to end by itself.
 */
export async function follow(context: Context, { experiment: id, trials }: Started, { onRead, untilRead = false }: Follow): Promise<ExperimentView> {
  const { io, json } = context;
  const told = new Set<number>();
  const erase = () => { if (io.isTerminal && !json) io.err('\r\u001b[2K'); };
  const tell = (line: string) => { erase(); context.note(line); };
  let [read, stopping, lookedAt] = [false, false, Date.now()];
  const begun = Date.now();
  const release = io.onInterrupt?.(() => { stopping = true; tell('stopping; what is done counts'); });
  try {
    for (;; await sleep(POLL_MS)) {
      const view = await answerOf(context.api.get(ExperimentView, `/experiments/${id}`), lookedAt);
      if (!view) continue;
      lookedAt = Date.now();
      const ended = view.experiment.status !== 'running';
      if (!read && (view.experiment.snapshot !== null || ended)) {
        read = true;
        await onRead();
      }
      for (const trial of view.trials) {
        if (trial.status === 'running' || told.has(trial.trial)) continue;
        told.add(trial.trial);
        tell(trialLine(context, trial, view, { sinceMs: Date.now() - begun, of: trials }));
      }
      if (ended || (read && untilRead)) {
        erase();
        return view;
      }
      if (stopping) await answerOf(context.api.post(Cancelled, `/experiments/${id}/cancel`, {}), lookedAt);
      if (io.isTerminal && !json) io.err(`\r\u001b[2K${movingLine(view, { of: trials, columns: io.columns })}`);
    }
  } finally {
    release?.();
  }
}

/** Null while the part that answers is away, or knows nothing yet. */
async function answerOf<T>(asked: Promise<T>, since: number): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CommandError && (error.code === 'experiment/unknown' || error.code.endsWith('/unavailable')) && Date.now() - since < AWAY_MS) return null;
    throw error;
  }
}
