import type { ServedKey } from '../../contract/api-key.js';
import { ServingError } from '../errors.js';
import type { InferenceRequest } from '../protocol/request.js';
import type { ExplanationsTo } from '../../stores/models.js';

/** 403 unless the model's definition lets the caller have explanations; 503 where what it says was never read. */
export function requireMayExplain(request: InferenceRequest, model: string, key: ServedKey | null, to: ExplanationsTo | null): void {
  const explain = request.parameters?.explain;
  if (explain === undefined || explain === false || to === 'all') return;
  if (to === null) throw new ServingError(503, 'Whether explanations may be given cannot be checked at the moment.', { retryAfter: 2 });
  if (to === 'none') throw new ServingError(403, `Predictions of ${model} are not explained to callers (serving.explanations in its definition).`);
  if (key !== null) throw new ServingError(403, `Predictions of ${model} are not explained to holders of keys (serving.explanations in its definition).`);
}
