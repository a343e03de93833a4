import type { Outputs } from '../../domain/outputs.js';
import { ServingError } from '../errors.js';
import type { Rows } from '../protocol/rows.js';

/** The version's runner is gone: it crashed or was ended in an endless loop. Another version may answer instead. */
export class VersionDown extends ServingError {
  /** The runner had these very rows, so they may be why it ended. */
  readonly inHands: boolean;
  constructor(message: string, { inHands = false, cause }: { inHands?: boolean; cause?: unknown } = {}) {
    super(503, message, { retryAfter: 1, cause });
    this.inHands = inHands;
  }
}

/** The rows themselves could not be computed; those beside them in the batch may well be. */
export class RowsRefused extends ServingError {
  constructor(cause: unknown) {
    super(500, 'The model could not compute this prediction.', { cause });
  }
}

export interface PredictCall {
  /** After this time the answer is of no use; never more than the server's own limit. */
  readonly deadlineMs?: number | undefined;
  /** Where another version can answer, a request does not wait for a runner that is being started again: it is refused at once with VersionDown. */
  readonly hasStandIn?: boolean | undefined;
  /** These rows may end a runner: they are computed while it has nothing else in its hands. */
  readonly alone?: boolean | undefined;
}

/** A request that waits for its outputs. It is settled once: by its answer, an error or its deadline. */
export class Waiting {
  readonly outputs: Promise<Outputs>;
  readonly arrivedAt = performance.now();
  readonly deadlineAt: number;
  readonly #timer: NodeJS.Timeout;
  #settle: { resolve: (outputs: Outputs) => void; reject: (error: Error) => void } | null = null;

  readonly hasStandIn: boolean;
  readonly alone: boolean;

  constructor(readonly rows: Rows, { deadlineMs, hasStandIn = false, alone = false }: PredictCall & { deadlineMs: number }, onExpired: (waiting: Waiting) => void) {
    this.hasStandIn = hasStandIn;
    this.alone = alone;
    this.deadlineAt = this.arrivedAt + deadlineMs;
    this.outputs = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.#timer = setTimeout(() => {
      onExpired(this);
      this.reject(tooLate());
    }, deadlineMs);
  }

  resolve(outputs: Outputs): void { this.#end()?.resolve(outputs); }
  reject(error: Error): void { this.#end()?.reject(error); }

  #end() {
    const settle = this.#settle;
    this.#settle = null;
    clearTimeout(this.#timer);
    return settle;
  }
}

export const tooLate = (): ServingError => new ServingError(504, 'The prediction took too long.', { retryAfter: 1 });
export const rowsIn = (waiting: readonly Waiting[]): number => waiting.reduce((sum, { rows }) => sum + rows.count, 0);
