import type { RunError } from '../contract/run.js';
import type { ReproductionVerdict } from '../contract/reproduction.js';
import { judgeReproduction, rebuild, reproduceRecord } from './support/activities.js';
import { toRunError } from './support/failure.js';

export interface ReproductionInput { readonly v: 1; readonly model: string; readonly version: number; readonly id: string; readonly by: string; readonly tolerance: number | null }
export type ReproductionOutcome = { readonly verdict: ReproductionVerdict } | { readonly verdict: 'failed'; readonly error: RunError };

/** Builds a version again from what is stored and says whether it is the same. Nothing is registered. */
export async function reproduction({ model, version, id, by, tolerance }: ReproductionInput): Promise<ReproductionOutcome> {
  try {
    await reproduceRecord.planReproduction({ model, version, id, by, tolerance });
    await rebuild.rebuild({ model, version, id });
    return await judgeReproduction.judgeReproduction({ model, version, id });
  } catch (caught) {
    const error = toRunError(caught);
    await reproduceRecord.failReproduction({ id, error });
    return { verdict: 'failed', error };
  }
}
