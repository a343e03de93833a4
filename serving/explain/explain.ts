import type { ExplainTask } from '../../contract/explanation.js';
import type { Explanation } from '../../runtime/runner/start.js';
import { asServingError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import type { Rows } from '../protocol/rows.js';
import type { ExplainCall, ServedVersion } from '../runner/served-version.js';

export interface CountedCall extends ExplainCall { readonly model: string; readonly version: number; readonly task: ExplainTask; readonly metrics: Pick<Metrics, 'explained'> }

/** What speaks for the rows' answers, by the version that gave them, and counted. Throws ServingError. */
export async function explainCounted(served: ServedVersion, rows: Rows, { model, version, task, metrics, ...call }: CountedCall): Promise<Explanation> {
  try {
    const explanation = await served.explain(rows, task, call);
    metrics.explained(model, version, explanation.head.method, 200, explanation.head);
    return explanation;
  } catch (error) {
    metrics.explained(model, version, task.method ?? 'any', asServingError(error).status, null);
    throw error;
  }
}
