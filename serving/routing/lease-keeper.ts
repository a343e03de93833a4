import type { ReplicasStore } from '../../stores/replicas.js';

export interface LeaseKeeperOptions {
  readonly replicas: Pick<ReplicasStore, 'lease' | 'report' | 'release'>;
  readonly replica: string;
  readonly environment: string;
  /** Where others reach this replica. */
  readonly url: string;
  /** What is really served at this moment. */
  readonly serving: () => { model: string; version: number | null; generation: number }[];
  readonly ttlMs?: number;
  readonly everyMs?: number;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface LeaseKeeper {
  /** Says at once what is served of a model now; where PostgreSQL is away, the next renewal says it. */
  report(model: string): Promise<void>;
  /** Whether the last renewal worked. */
  readonly held: boolean;
  /** Ends the lease: this replica serves nothing any more. */
  close(): Promise<void>;
}

/** Renews the replica's lease, and with it what the replica says that it serves. One statement at a time, so that no old statement follows a newer one. */
export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { replicas, replica, environment, url, serving, ttlMs = 5_000, everyMs = 1_500 } = options;
  let saying: Promise<unknown> = Promise.resolve();
  let held = false;
  let reported = false;
  let closed = false;
  let renewing = false;

  function say<T>(step: () => Promise<T>): Promise<T> {
    const result = saying.then(step);
    saying = result.catch(() => undefined);
    return result;
  }

  async function renew(): Promise<void> {
    if (renewing || closed) return;
    renewing = true;
    try {
      await say(() => replicas.lease({ id: replica, environment, url, pid: process.pid, ttlMs, serving: serving() }));
      if (reported) options.onProblem('the lease is renewed again', undefined);
      held = true;
      reported = false;
    } catch (error) {
      held = false;
      if (!reported) options.onProblem('the lease cannot be renewed; what was served last goes on', error);
      reported = true;
    } finally {
      renewing = false;
    }
  }

  const timer = setInterval(() => void renew(), everyMs);
  const first = renew();

  return {
    get held() { return held; },
    async report(model) {
      await first;
      if (closed) return;
      try {
        const said = await say(async () => {
          const now = serving().find((one) => one.model === model);
          return now === undefined || replicas.report({ replica, ...now });
        });
        if (!said) await renew();
      } catch (error) {
        if (!reported) options.onProblem(`what is served of ${model} could not be reported; the next renewal says it`, error);
        reported = true;
      }
    },
    async close() {
      clearInterval(timer);
      closed = true;
      try {
        await say(() => replicas.release(replica));
      } catch (error) {
        options.onProblem('the lease could not be ended; it lapses by itself', error);
      }
    },
  };
}
