import { v7 as uuidv7 } from 'uuid';
import type { PredictionGap } from '../../stores/predictions.js';
import type { LoggedRequest } from './record.js';

/** Counts predictions that were answered and not logged, until the database has the count. */
export function createGaps() {
  let open = new Map<string, PredictionGap>();
  let closed: PredictionGap[] = [];
  const totals = new Map<string, number>();

  return {
    count({ model, environment, replica, at, ids }: LoggedRequest): void {
      const gap = open.get(model);
      const lastAt = new Date(at).toISOString();
      open.set(model, gap ? { ...gap, lastAt, predictions: gap.predictions + ids.length } : { id: uuidv7(), model, environment, replica, firstAt: lastAt, lastAt, predictions: ids.length });
      totals.set(model, (totals.get(model) ?? 0) + ids.length);
    },
    /** Predictions that were not logged since the start, by model. */
    totals: totals as ReadonlyMap<string, number>,
    /** Predictions whose count the database does not have. */
    get untold(): number { return [...closed, ...open.values()].reduce((sum, { predictions }) => sum + predictions, 0); },
    /** Hands over what the database does not have yet; where that fails, the same gaps are handed over again. */
    async note(save: (gaps: readonly PredictionGap[]) => Promise<void>): Promise<void> {
      closed = [...closed, ...open.values()];
      open = new Map();
      if (closed.length === 0) return;
      const handed = closed;
      await save(handed);
      closed = closed.slice(handed.length);
    },
  };
}
