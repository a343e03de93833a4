import { PerennialError } from '../contract/errors.js';
import type { Route } from '../contract/route.js';
import { rollbackTarget } from '../domain/admission.js';
import { ledgerChain } from '../stores/ledger.js';
import type { Stores } from '../stores/index.js';
import type { Services } from './services.js';

/** How the reason of a route begins that was written past the environment's workflow; the reconciler finds it by this. */
export const BREAK_GLASS = 'break-glass: ';

export interface RollbackPlan { readonly from: number | null; readonly to: number; readonly generation: number; readonly keepWarmMs: number }

/** The rollback that this request already made, if it did. */
export async function rollbackMade(stores: Stores, model: string, environment: string, id: string): Promise<(RollbackPlan & { readonly breakGlass: boolean }) | null> {
  const history = await stores.routes.history(environment, model);
  const at = history.findIndex((route) => route.intent === id);
  const [own, before] = [history[at], history[at + 1]];
  const to = liveOf(own);
  return at < 0 || !own || to === null ? null : { from: liveOf(before), to, generation: own.generation, keepWarmMs: own.keepWarmMs, breakGlass: own.reason.startsWith(BREAK_GLASS) };
}

/**
 * Where a rollback would go from what is routed now.
 * @throws rollback/nothing-before where there is no earlier version that may serve
 */
export async function rollbackTargetOf(stores: Stores, model: string, environment: string, to: number | null): Promise<RollbackPlan> {
  const history = await stores.routes.history(environment, model);
  const current = history[0];
  const live = liveOf(current);
  const target = rollbackTarget({ history, versions: await stores.versions.list(model), live, to });
  if (!current || target === null) {
    throw new PerennialError('rollback/nothing-before', to === null ? `no earlier version of ${model} ever served in ${environment} and may serve again` : `${model}@${to} never served in ${environment}, serves already, or may not serve again`);
  }
  return { from: live, to: target, generation: current.generation, keepWarmMs: current.keepWarmMs };
}

const liveOf = (route: Route | undefined): number | null => route?.arms.filter((arm) => arm.role === 'live').sort((a, b) => b.share - a.share)[0]?.version ?? null;

export interface BreakGlassRequest { readonly id: string; readonly model: string; readonly environment: string; readonly to: number | null; readonly reason: string; readonly by: string; readonly why: string }

/**
 * Rolls back without the workflow: the same compare-and-set, under the intent that the workflow would have used for this request, so that
 * a signal which got through after all finds the route written. Safe to repeat with the same id: each step is named by it.
 * @throws route/conflict when somebody else wrote the route first
 */
export async function breakGlassRollback({ stores, log }: Pick<Services, 'stores' | 'log'>, { id, model, environment, to, reason, by, why }: BreakGlassRequest) {
  const made = await rollbackMade(stores, model, environment, id);
  const plan = made ? { ...made, generation: made.generation - 1 } : await rollbackTargetOf(stores, model, environment, to);
  const written = await stores.routes.write({ environment, model, expected: plan.generation, intent: id, arms: [{ version: plan.to, role: 'live', share: 1 }], keepWarmMs: plan.keepWarmMs, by, reason: `${BREAK_GLASS}${reason}` });
  if (!written.ok) throw new PerennialError('route/conflict', `the route of ${model} in ${environment} is at generation ${written.current?.generation ?? 0}, not ${plan.generation}`);

  await recordBreakGlass(stores, { id, model, environment, from: plan.from, to: plan.to, generation: written.route.generation, reason, by, why });
  log('a rollback was written past the workflow', { model, environment, from: plan.from, to: plan.to, generation: written.route.generation, by, why });
  return { model, environment, from: plan.from, to: plan.to, generation: written.route.generation, requested: id, breakGlass: true, why };
}

export interface BreakGlassRecord { readonly id: string; readonly model: string; readonly environment: string; readonly from: number | null; readonly to: number; readonly generation: number; readonly reason: string; readonly by: string; readonly why: string }

/** What follows from the route: the version that was left is quarantined, and the ledger says who did it. Named by the request, so once. */
async function recordBreakGlass(stores: Stores, { id, model, environment, from, to, generation, reason, by, why }: BreakGlassRecord): Promise<void> {
  const eventId = `break-glass/${id}`;
  if (from !== null) await stores.versions.transition({ model, version: from, to: 'quarantined', by, why: reason, eventId });
  await stores.versions.transition({ model, version: to, to: 'live', by, why: reason, eventId });
  await stores.ledger.append({ chain: ledgerChain(model, environment), eventId, actor: by, action: 'break-glass', subject: { from, to, generation, reason, why }, at: new Date().toISOString() });
}

/** Does what a gateway that died after writing the route did not come to. */
export async function completeBreakGlass(stores: Stores, route: Route): Promise<void> {
  const made = await rollbackMade(stores, route.model, route.environment, route.intent);
  if (!made) return;
  await recordBreakGlass(stores, { ...made, id: route.intent, model: route.model, environment: route.environment, reason: route.reason.slice(BREAK_GLASS.length), by: route.writtenBy, why: 'completed after the gateway ended' });
}
