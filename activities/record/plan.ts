import { PerennialError } from '../../contract/errors.js';
import { durationMs } from '../../definition/common.js';
import { tighten } from '../../domain/policy.js';
import { plannedVariants } from '../compress/made.js';
import type { PlannedVariant } from '../compress/made.js';
import { requireFittingSets } from '../data/frozen/open.js';
import type { ActivityDeps } from '../deps.js';
import { requireDefinition, requireRun } from '../lookup.js';

/** What a lifecycle has to know of its run's definition and of its environment's policy. */
export interface RunPlan {
  readonly commit: string; readonly environment: string; readonly automatic: boolean;
  readonly deadlineMs: number; readonly reminderMs: number; readonly keepWarmMs: number;
  /** Smaller forms of what is trained that are made and held against it; absent where there are none. */
  readonly variants?: readonly PlannedVariant[];
}

/** What a run is to do, and the policy that a run without training puts into force. */
export function createPlanRecord({ stores, artifacts }: Pick<ActivityDeps, 'stores' | 'artifacts'>) {
  return {
    /** Reads the definition against its environment's policy and the frozen test sets that it names; both may have changed since intake. */
    async planRun({ run: id }: { model: string; run: string }): Promise<RunPlan> {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, run.model, run.commit);
      const environment = await stores.environments.get(definition.release.environment);
      if (!environment) throw new PerennialError('definition/weakens-policy', `${run.model} releases to ${definition.release.environment}, an environment that does not exist`);
      const tightened = tighten(environment.policy, definition);
      if (!tightened.ok) throw new PerennialError('definition/weakens-policy', tightened.problems.join('; '));
      await requireFittingSets({ stores, artifacts }, definition);
      return {
        commit: run.commit, environment: definition.release.environment, automatic: tightened.effective.automatic,
        deadlineMs: tightened.effective.deadlineMs, reminderMs: durationMs(definition.approval.reminderAfter), keepWarmMs: durationMs(definition.release.keepWarm),
        ...(definition.compression ? { variants: plannedVariants(definition.compression) } : {}),
      };
    },

    async applyPolicy({ model, run: id }: { model: string; run: string }): Promise<void> {
      const run = await requireRun(stores, id);
      await stores.models.setAppliedPolicy(model, run.commit, run.policyDigest);
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `policy/${id}`, actor: run.reason.by, action: 'policy-applied', subject: { run: id, commit: run.commit, policyDigest: run.policyDigest }, at: new Date().toISOString() });
    },
  };
}
