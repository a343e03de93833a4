import type { Database } from '../stores/database.js';

export interface WatchedTableOptions {
  readonly database: Pick<Database, 'listen'>;
  readonly channel: string;
  /** Whether a notification, by its payload, is about what is read here; one without a payload says that some may have been missed. */
  readonly concerns: (payload: string) => boolean;
  readonly read: () => Promise<void>;
  readonly pollMs: number;
  /** What is read, in the plural, as problems call it. */
  readonly name: string;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface WatchedTable {
  /** Whether the last try to read failed. */
  readonly away: boolean;
  /** When the last try began, as Unix time in ms. */
  readonly triedAt: number;
  /** Reads what was written before now; resolves also when it could not. */
  readAgain(): Promise<void>;
  close(): Promise<void>;
}

/** Reads at once, when the table changes (NOTIFY) and, since a notification can be lost, every `pollMs`; never twice at the same time. */
export function watchTable({ database, channel, concerns, read, pollMs, name, onProblem }: WatchedTableOptions): WatchedTable {
  let triedAt = -Infinity;
  let reading: Promise<void> | null = null;
  let again = false;
  let away = false;
  let closed = false;

  async function readUntilNew(): Promise<void> {
    try {
      while (again && !closed) {
        again = false;
        triedAt = Date.now();
        await read();
        if (away) onProblem(`${name} are read again`, undefined);
        away = false;
      }
    } catch (error) {
      if (!away) onProblem(`${name} cannot be read; those known last go on`, error);
      away = true;
    }
  }

  function readAgain(): Promise<void> {
    again = true;
    reading ??= readUntilNew().finally(() => { reading = null; });
    return reading;
  }

  const listening = database.listen(channel, (payload) => { if (payload === '' || concerns(payload)) void readAgain(); });
  listening.catch((error: unknown) => { onProblem(`changes of ${name} are not notified; they are polled`, error); });
  const timer = setInterval(() => void readAgain(), pollMs);
  void readAgain();

  return {
    get away() { return away; },
    get triedAt() { return triedAt; },
    readAgain,
    async close() {
      closed = true;
      clearInterval(timer);
      try {
        await (await listening)();
      } catch (error) {
        onProblem(`could not stop listening for ${name}`, error);
      }
      await reading;
    },
  };
}
