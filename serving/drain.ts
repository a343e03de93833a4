import { setTimeout as sleep } from 'node:timers/promises';

/** Who asked for readiness within this time is taken to be asking still. */
const PROBED_WITHIN_MS = 60_000;

/**
 * The end of a replica, as those who balance between replicas need it: it says that it is not ready and goes on answering, for as long as they
 * take to notice. Where nobody asks whether it is ready there is nobody to wait for.
 */
export function createDrain(noticeMs: number) {
  let started = false;
  let probedAt = -Infinity;
  return {
    /** True from the moment on from which no more traffic should come. */
    get started() { return started; },
    /** Somebody asks whether this replica is ready. */
    probed(): void { probedAt = performance.now(); },
    /** Resolves when the others had their time. */
    async start(): Promise<void> {
      started = true;
      if (performance.now() - probedAt < PROBED_WITHIN_MS) await sleep(noticeMs);
    },
  };
}
export type Drain = ReturnType<typeof createDrain>;
