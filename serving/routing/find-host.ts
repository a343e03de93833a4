import { ServingError } from '../errors.js';
import type { ModelHost } from './model-host.js';
import type { Models } from './models.js';

/** The host of a model that a caller names; 404 where there is none. */
export function findHost(models: Pick<Models, 'get'>, model: string): ModelHost {
  const host = models.get(model);
  if (!host) throw new ServingError(404, `Model ${model.slice(0, 80)} is not served here.`);
  return host;
}
