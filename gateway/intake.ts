import type { Services } from './services.js';

export interface IntakeRequest { readonly repository: string; readonly commit: string; readonly branch: string; readonly via: 'hook' | 'local' | 'poll' }

/** Outcomes that the same commit cannot have again; what else was refused may be sent once more. */
const WORTH_REPEATING = new Set(['repository/commit-missing', 'repository/unreachable', 'storage/unavailable', 'database/unavailable']);

/**
 * Starts the intake of a commit: the one way in for hooks, the local hook and polling. The workflow's id is the commit, so
 * whoever comes first starts it. Safe to repeat; nothing happens for a commit that was judged already.
 * @throws temporal/unavailable, and then nothing was noted: the sender should send it again
 */
export async function startIntake(services: Services, request: IntakeRequest): Promise<{ started: boolean }> {
  const known = await services.stores.models.getIntake(request.repository, request.commit);
  if (known && (known.status === 'accepted' || (known.status === 'refused' && !WORTH_REPEATING.has(known.error?.code ?? '')))) return { started: false };
  await services.workflows.startIntake(request);
  return { started: true };
}
