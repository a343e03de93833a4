import { PerennialError } from '../../contract/errors.js';
import type { TrainRequest } from '../../contract/signals.js';
import { digestOf } from '../../domain/digest.js';
import type { Run } from '../../stores/runs.js';
import type { ActivityDeps } from '../deps.js';
import { requireDefinition } from '../lookup.js';

/** An imported network is another one than that which the definition's training gives, and never taken for it. */
function trainingDigestOf({ reason: { imported } }: TrainRequest, trainingDigest: string): string {
  return imported ? digestOf({ imported: imported.files.sha256, trainingDigest }) : trainingDigest;
}

/** How a request becomes a run row. */
export function createRunMaker({ stores }: Pick<ActivityDeps, 'stores'>): (model: string, request: TrainRequest) => Promise<Run | null> {
  return makeRun;

  /** Null, with a line in the ledger, when there is no such model or definition, or its file was removed: the request is not met. */
  async function makeRun(model: string, request: TrainRequest) {
    try {
      await requireHeld(model, request);
      const commit = request.commit ?? await retrainingCommit(model);
      const known = await requireDefinition(stores, model, commit);
      const { run } = await stores.runs.create({ model, cause: request.cause, reason: request.reason, commit, trainingDigest: trainingDigestOf(request, known.trainingDigest), policyDigest: known.policyDigest });
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `run/${run.id}`, actor: request.reason.by, action: 'run-started', subject: { run: run.id, cause: request.cause, kind: request.reason.kind, commit }, at: run.createdAt });
      return run;
    } catch (error) {
      if (!(error instanceof PerennialError) || error.retryable) throw error;
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `refused/${request.id}`, actor: request.reason.by, action: 'request-refused', subject: { cause: request.cause, code: error.code, message: error.message }, at: new Date().toISOString() });
      return null;
    }
  }

  /** Of a model whose file is gone a run begins only where a person asks for one. */
  async function requireHeld(model: string, { reason }: TrainRequest): Promise<void> {
    const removed = reason.kind === 'request' || reason.kind === 'import' ? null : (await stores.models.get(model))?.removed;
    if (removed) throw new PerennialError('model/removed', `commit ${removed.commit.slice(0, 12)} does not hold ${model} any more: nothing is trained of it by ${reason.kind}`, { commit: removed.commit });
  }

  /** A retraining uses the live version's commit; or a later one that only changed policy. */
  async function retrainingCommit(model: string): Promise<string> {
    const current = await stores.models.currentDefinition(model);
    if (!current) throw new PerennialError('model/unknown', `model ${model} has no accepted definition`);
    const route = await stores.routes.current(current.definition.release.environment, model);
    const live = route?.arms.find((arm) => arm.role === 'live');
    if (!live) return current.commit;
    const version = await stores.versions.get(model, live.version);
    if (!version) throw new PerennialError('version/unknown', `${model}@${live.version} is routed but not registered`);
    return current.trainingDigest === version.trainingDigest ? current.commit : version.commit;
  }
}
