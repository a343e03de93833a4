import { hash } from 'node:crypto';
import type { Stores } from '../../stores/index.js';
import { shipAll, type ShipperOptions, type Sink } from './shipper.js';

/** One round of copying: every complete segment of a folder, oldest first. */
export type CopyRound = Pick<ShipperOptions, 'dir' | 'own' | 'orphans' | 'onShipped' | 'onProblem'>;

/** What brings segments to PostgreSQL: this process's own thread, or one beside it. */
export interface Copier {
  /** Rejects where the database is away; what is not copied stays. */
  copy(round: CopyRound): Promise<void>;
  close(): Promise<void>;
}

const BATCH = { batchRows: 500, batchBytes: 4 * 1024 ** 2 } as const;

/** Copies in the thread that asks. */
export function createCopier(sink: Sink): Copier {
  return { copy: (round) => shipAll({ ...round, ...BATCH, sink }), close: () => Promise.resolve() };
}

/** PostgreSQL, as segments are copied to it; with `events`, each prediction and refusal is also to be sent as one. */
export function createSink(stores: Pick<Stores, 'predictions' | 'refusals'>, { events }: { events: boolean }): Sink {
  return async ({ predictions, refusals }) => {
    if (refusals.length > 0) await stores.refusals.insertMany(refusals.map(({ kind: _kind, ...refusal }) => refusal), { events });
    await stores.predictions.insertMany(predictions.map((row) => ({ ...row, inputDigest: hash('sha256', row.input), status: 'ok' as const })), { events });
  };
}
