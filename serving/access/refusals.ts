import type { Metrics } from '../metrics.js';

export type KeyRefusal = 'rate' | 'budget' | 'model' | 'scope' | 'expired' | 'replaced';

const LOG_EVERY_MS = 60_000;

/** Refusals of keys: each is counted, and a key's first of each kind is logged at once, then how many there were, once a minute. */
export function createKeyRefusals({ metrics, onProblem }: { readonly metrics: Pick<Metrics, 'keyRefused'>; readonly onProblem: (message: string, error: unknown) => void }) {
  const told = new Map<string, { at: number; more: number }>();
  return (key: string, reason: KeyRefusal): void => {
    metrics.keyRefused(key, reason);
    const id = `${key} ${reason}`;
    const last = told.get(id);
    if (last && Date.now() - last.at < LOG_EVERY_MS) {
      last.more += 1;
      return;
    }
    told.set(id, { at: Date.now(), more: 0 });
    onProblem(`the API key ${key} was refused: ${reason}${last ? `; ${last.more} more since this was said last` : ''}`, undefined);
  };
}
export type KeyRefusals = ReturnType<typeof createKeyRefusals>;
