import type { Outputs } from '../../domain/outputs.js';
import type { Rows } from '../protocol/rows.js';
import type { Choice, ServedArm } from '../routing/model-host.js';
import { VersionDown, type PredictCall } from './waiting.js';

/**
 * The outputs, and the arm whose version gave them: the chosen one's, or where its runner is gone the stand-in's. What a runner had in
 * its hands when it ended may be why it ended, so the stand-in computes that alone.
 */
export async function predictOrFailOver({ served, arm, standIn }: Choice, rows: Rows, { deadlineMs }: Pick<PredictCall, 'deadlineMs'>): Promise<{ outputs: Outputs; arm: ServedArm['arm'] }> {
  const startedAt = performance.now();
  try {
    return { outputs: await served.predict(rows, { deadlineMs, hasStandIn: standIn !== null }), arm };
  } catch (error) {
    if (!(error instanceof VersionDown) || !standIn) throw error;
    const leftMs = deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - (performance.now() - startedAt));
    return { outputs: await standIn.served.predict(rows, { deadlineMs: leftMs, alone: error.inHands }), arm: standIn.arm };
  }
}
