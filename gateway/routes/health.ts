import { PerennialError } from '../../contract/errors.js';
import { defineRoute } from '../http/route.js';
import { within } from '../within.js';

const HEALTH_MS = 2_000;

/** 200 as long as the gateway itself answers; the parts behind it are named one by one. */
export const health = defineRoute({
  method: 'GET', path: '/health', summary: 'Whether the gateway and the parts behind it answer', access: 'open',
  async handle({ services: { stores, artifacts, workflows } }) {
    const [database, storage, temporal] = await Promise.all([
      answers(within(stores.environments.list(), 'database/unavailable', HEALTH_MS)),
      answers(within(artifacts.exists('health'), 'storage/unavailable', HEALTH_MS)),
      workflows.isReachable(HEALTH_MS),
    ]);
    return { status: database && storage && temporal ? 'ok' : 'degraded', parts: { gateway: true, database, storage, temporal } };
  },
});

async function answers(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof PerennialError && error.retryable) return false;
    throw error;
  }
}
