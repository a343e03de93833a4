import type { ExplainTask } from '../../contract/explanation.js';
import { NotExplained, RunnerGone, type Explanation, type Runner } from '../../runtime/runner/start.js';
import { ServingError } from '../errors.js';
import type { Rows } from '../protocol/rows.js';

/** Explanations of a version that may wait for the one that is computed. */
export const WAITING_EXPLANATIONS = 4;

interface Job { readonly rows: Rows; readonly task: ExplainTask; readonly given: AbortController; readonly resolve: (explanation: Explanation) => void; readonly reject: (error: Error) => void }

export interface ExplainQueue {
  /** 503 where too many wait or there is no runner, 504 where it takes longer than `deadlineMs`, 422 where the model cannot be explained like that. */
  explain(rows: Rows, task: ExplainTask, deadlineMs: number): Promise<Explanation>;
  /** Resolves when nothing is explained. */
  drained(): Promise<void>;
}

/** One explanation at a time, beside the batches of predictions: the runner computes it in slices between them. */
export function createExplainQueue(runnerOf: () => Pick<Runner, 'explain'> | null): ExplainQueue {
  const waiting: Job[] = [];
  let computing: Promise<void> | null = null;

  function next(): void {
    if (computing) return;
    const job = waiting.shift();
    if (!job) return;
    computing = compute(job).finally(() => {
      computing = null;
      next();
    });
  }

  async function compute({ rows, task, given, resolve, reject }: Job): Promise<void> {
    const runner = runnerOf();
    if (!runner) return reject(new ServingError(503, 'The model is being restarted.', { retryAfter: 1 }));
    try {
      resolve(await runner.explain({ rows: rows.count, input: rows.input, task, signal: given.signal }));
    } catch (error) {
      reject(asRefusal(error));
    }
  }

  return {
    explain(rows, task, deadlineMs) {
      if (waiting.length >= WAITING_EXPLANATIONS) return Promise.reject(new ServingError(503, 'Too many explanations are waiting for this model.', { retryAfter: 1 }));
      return new Promise<Explanation>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(tooLate());
          const at = waiting.indexOf(job);
          if (at >= 0) waiting.splice(at, 1);
          else job.given.abort(); // the next one starts when the runner has given it up
        }, Math.max(0, deadlineMs));
        const settled = <T>(settle: (value: T) => void) => (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
        const job: Job = { rows, task, given: new AbortController(), resolve: settled(resolve), reject: settled(reject) };
        waiting.push(job);
        next();
      });
    },
    async drained() {
      while (computing) await computing;
    },
  };
}

const tooLate = () => new ServingError(504, 'The explanation took too long: ask for fewer rows or steps, or give it more time.', { retryAfter: 1 });

function asRefusal(error: unknown): ServingError {
  if (error instanceof NotExplained && error.reason === 'unfit') return new ServingError(422, `Parameter "explain": ${error.message}`);
  if (error instanceof NotExplained && error.reason === 'cancelled') return tooLate();
  if (error instanceof RunnerGone) return new ServingError(503, 'The model stopped while it explained this prediction; it is being restarted.', { retryAfter: 1, cause: error });
  return new ServingError(500, 'The model could not explain this prediction.', { cause: error });
}
