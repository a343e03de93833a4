import type { ChildFrame, HostFrame } from '../../contract/frames.js';
import type { RawRows } from '../preprocess.js';
import type { createExplainer } from './explainer.js';
import { Unfit } from './row-explainer.js';
import { inSlices, type Between } from './slices.js';

type ExplainFrame = Extract<HostFrame, { kind: 'explain' }>;

export interface ExplanationsOptions extends Omit<Between, 'signal'> { readonly explainer: ReturnType<typeof createExplainer> }
type Send = (frame: ChildFrame, body?: Uint8Array) => Promise<void>;

/** A runner's explanations, whoever asks for them: one after another, each in slices, and given up where nobody waits any more. */
export function createExplanations({ explainer, ...between }: ExplanationsOptions) {
  let last: Promise<void> = Promise.resolve();

  async function explain({ id, rows, task }: ExplainFrame, raw: () => RawRows, send: Send, signal: AbortSignal): Promise<void> {
    try {
      const { value, evaluations, computeMs } = await inSlices(explainer.explain(raw(), rows, task), { ...between, signal });
      await send({ v: 1, kind: 'explained', id, explanation: { ...value.head, evaluations, computeMs } }, new Uint8Array(value.attributions.buffer));
    } catch (error) {
      const reason = signal.aborted ? 'cancelled' : error instanceof Unfit ? 'unfit' : 'failed';
      await send({ v: 1, kind: 'unexplained', id, reason, message: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    /** Those that one host asks for. */
    of(send: Send) {
      const asked = new Map<number, AbortController>();
      return {
        /** `raw` reads the rows, and throws where they are none. */
        take(frame: ExplainFrame, raw: () => RawRows): void {
          const controller = new AbortController();
          asked.set(frame.id, controller);
          last = last.then(() => explain(frame, raw, send, controller.signal)).finally(() => { asked.delete(frame.id); });
        },
        cancel(id: number): void {
          asked.get(id)?.abort();
        },
        cancelAll(): void {
          for (const controller of asked.values()) controller.abort();
        },
      };
    },
  };
}
