import { workflowInfo } from '@temporalio/workflow';
import { features } from './support/activities.js';
import { toRunError } from './support/failure.js';

export interface MaterialiseInput {
  readonly v: 1; readonly view: string;
  /** Of a materialisation that somebody asked for; the schedule's own are named by their run. */
  readonly id?: string;
  readonly full?: boolean;
}

/** Brings a feature view up to date, as of the time at which this began. */
export async function materialise({ view, id = workflowInfo().runId, full = false }: MaterialiseInput): Promise<{ rowsAdded: number } | { failed: string }> {
  try {
    const { rowsAdded } = await features.materialiseView({ view, id, asOf: new Date(Date.now()).toISOString(), full });
    return { rowsAdded };
  } catch (error) {
    const told = toRunError(error);
    await features.failMaterialisation({ view, id, error: told });
    return { failed: told.code };
  }
}
