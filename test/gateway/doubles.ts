import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { Decision } from '../../contract/decision.js';
import { UPDATES } from '../../contract/names.js';

const { recordDecision } = proxyActivities<{ recordDecision(decision: Decision): Promise<void> }>({ startToCloseTimeout: '10s' });

/** Takes decisions as the real one does, and leaves the judging to the test. */
export async function lifecycle(): Promise<void> {
  const inbox: Decision[] = [];
  setHandler(defineUpdate<{ ticket: string }, [Decision]>(UPDATES.decide), (decision) => {
    inbox.push(decision);
    return { ticket: decision.nonce };
  });
  for (;;) {
    await condition(() => inbox.length > 0);
    const decision = inbox.shift();
    if (decision) await recordDecision(decision);
  }
}
