import type { PauseRequest, ReleaseReply, ReleaseRequest, ResumeRequest, RollbackRequest } from '../../contract/signals.js';
import { judgeRelease, rollbackTarget } from '../../domain/admission.js';
import type { ActivityDeps } from '../deps.js';
import { requireVersion } from '../lookup.js';

/** How long a held release waits before it is looked at again; an operator's `resume` wakes it at once. */
const HELD_MS = 60_000;

type Place = { readonly model: string; readonly environment: string };
export type ReleaseVerdict =
  | { readonly kind: 'admit'; readonly generation: number; readonly liveVersion: number | null }
  | { readonly kind: 'hold'; readonly waitMs: number }
  | { readonly kind: 'answer'; readonly reply: Omit<ReleaseReply, 'v' | 'id'> };
export type RollbackChoice =
  | { readonly kind: 'switch'; readonly generation: number; readonly from: number; readonly to: number; readonly keepWarmMs: number }
  | { readonly kind: 'refused' };
export type AdmissionActivities = ReturnType<typeof createAdmissionActivities>;

/** The choke point before a route changes, and the record after it. Reads, and writes under the request's id: running twice changes nothing. */
export function createAdmissionActivities({ stores }: ActivityDeps) {
  const note = (place: Place, eventId: string, actor: string, action: string, subject: Record<string, unknown>) =>
    stores.ledger.append({ chain: `${place.model}/${place.environment}`, eventId, actor, action, subject, at: new Date().toISOString() });
  const liveOf = async ({ model, environment }: Place) => {
    const route = await stores.routes.current(environment, model);
    return { route, live: route?.arms.find((arm) => arm.role === 'live')?.version ?? null };
  };

  return {
    async admitRelease({ request, ...place }: Place & { readonly request: ReleaseRequest }): Promise<ReleaseVerdict> {
      const { model, environment } = place;
      const { route, live } = await liveOf(place);
      const version = await requireVersion(stores, model, request.version);
      const evidence = await stores.evidence.get(request.evidence);
      const decision = await stores.decisions.acceptedFor(request.run, request.evidence);
      const row = await stores.environments.get(environment);
      const now = Date.now();
      const freeze = row?.policy.freezes.find((window) => Date.parse(window.from) <= now && now < Date.parse(window.until)) ?? null;
      const verdict = judgeRelease({
        version, environment,
        decision: decision && evidence ? { version: evidence.version, environment: evidence.environment, evidence: decision.evidence, verdict: decision.decision.verdict } : null,
        evidence: { digest: request.evidence, liveGeneration: evidence?.liveGeneration ?? -1 },
        generation: route?.generation ?? 0, liveVersion: live, quarantined: version.status === 'quarantined',
        paused: await stores.environments.isPaused(environment, model), force: request.force,
        frozen: freeze ? { until: freeze.until, reason: freeze.reason } : null,
      });
      if (verdict.admit) {
        // A second try after the route was written answers with what is there, under the same intent.
        const written = route?.intent === request.id ? route.generation - 1 : (route?.generation ?? 0);
        return { kind: 'admit', generation: written, liveVersion: route?.intent === request.id ? await versionBefore(place, written) : live };
      }
      if (verdict.stale === true) {
        await note(place, `stale/${request.id}`, request.by, 'release-stale', { run: request.run, version: request.version, generation: route?.generation ?? 0 });
        return { kind: 'answer', reply: { outcome: 'stale', generation: route?.generation ?? 0, message: verdict.message, unconfirmed: [] } };
      }
      if (verdict.code === 'release/paused') return { kind: 'hold', waitMs: HELD_MS };
      if (verdict.code === 'release/frozen' && freeze) return { kind: 'hold', waitMs: Math.max(1_000, Math.min(HELD_MS, Date.parse(freeze.until) - now)) };
      await note(place, `refused/${request.id}`, request.by, 'release-refused', { run: request.run, version: request.version, code: verdict.code });
      return { kind: 'answer', reply: { outcome: 'refused', generation: route?.generation ?? null, message: verdict.message, unconfirmed: [] } };
    },

    async recordReleased({ request, generation, previous, confirmed, unconfirmed, ...place }: Place & { readonly request: ReleaseRequest; readonly generation: number; readonly previous: number | null; readonly confirmed: readonly string[]; readonly unconfirmed: readonly string[] }): Promise<void> {
      await moveTo(place, request.version, previous, request.by, `released in generation ${generation}`, request.id);
      await note(place, `released/${request.id}`, request.by, 'released', { run: request.run, version: request.version, previous, generation, evidence: request.evidence, confirmed, unconfirmed });
    },
    async recordReleaseFailed({ request, message, ...place }: Place & { readonly request: ReleaseRequest; readonly message: string }): Promise<void> {
      await note(place, `failed/${request.id}`, request.by, 'release-failed', { run: request.run, version: request.version, message });
    },

    async chooseRollback({ request, ...place }: Place & { readonly request: RollbackRequest }): Promise<RollbackChoice> {
      const { model, environment } = place;
      const history = await stores.routes.history(environment, model);
      const own = history.find((route) => route.intent === request.id);
      const before = own ? history.filter((route) => route.generation < own.generation) : history;
      const now = before.sort((a, b) => b.generation - a.generation)[0];
      const live = now?.arms.find((arm) => arm.role === 'live')?.version ?? null;
      const to = rollbackTarget({ history: before, versions: await stores.versions.list(model), live, to: request.to });
      if (!now || live === null || to === null) {
        await refuse(place, request, live === null ? 'nothing is live' : 'there is no earlier version to go back to');
        return { kind: 'refused' };
      }
      return { kind: 'switch', generation: now.generation, from: live, to, keepWarmMs: now.keepWarmMs };
    },
    async refuseRollback({ request, message, ...place }: Place & { readonly request: RollbackRequest; readonly message: string }): Promise<void> {
      await refuse(place, request, message);
    },
    async recordRollback({ request, from, to, generation, confirmed, unconfirmed, ...place }: Place & { readonly request: RollbackRequest; readonly from: number; readonly to: number; readonly generation: number; readonly confirmed: readonly string[]; readonly unconfirmed: readonly string[] }): Promise<void> {
      await stores.versions.transition({ model: place.model, version: from, to: 'quarantined', by: request.by, why: request.reason, eventId: `${request.id}/quarantine` });
      await stores.versions.transition({ model: place.model, version: to, to: 'live', by: request.by, why: `rolled back from version ${from}: ${request.reason}`, eventId: `${request.id}/live` });
      await note(place, `rollback/${request.id}`, request.by, 'rolled-back', { from, to, generation, reason: request.reason, confirmed, unconfirmed });
    },

    async setPaused({ paused, request, ...place }: Place & { readonly paused: boolean; readonly request: PauseRequest | ResumeRequest }): Promise<void> {
      await stores.environments.setPaused(place.environment, place.model, paused, { reason: request.reason, by: request.by });
      const lifted = 'version' in request ? request.version : null;
      if (!paused && lifted !== null && (await requireVersion(stores, place.model, lifted)).status === 'quarantined') {
        await stores.versions.transition({ model: place.model, version: lifted, to: 'approved', by: request.by, why: `quarantine lifted: ${request.reason}`, eventId: `${request.id}/lifted` });
      }
      await note(place, `${paused ? 'pause' : 'resume'}/${request.id}`, request.by, paused ? 'paused' : 'resumed', { reason: request.reason, lifted });
    },

    /** After a break-glass rollback: the registry follows what the route already says. */
    async reconcileRoute(place: Place): Promise<void> {
      const { route, live } = await liveOf(place);
      if (!route) return;
      for (const version of await stores.versions.list(place.model)) {
        if (version.version === live && version.status !== 'live') await moveTo(place, version.version, null, route.writtenBy, route.reason, route.intent);
        if (version.version !== live && version.status === 'live') await stores.versions.transition({ model: place.model, version: version.version, to: 'retired', by: route.writtenBy, why: route.reason, eventId: `${route.intent}/retired/${version.version}` });
      }
      await note(place, `reconciled/${route.intent}`, route.writtenBy, 'route-reconciled', { generation: route.generation, version: live });
    },
  };

  async function moveTo(place: Place, version: number, previous: number | null, by: string, why: string, id: string): Promise<void> {
    if (previous !== null && previous !== version) {
      await stores.versions.transition({ model: place.model, version: previous, to: 'retired', by, why: `replaced by version ${version}`, eventId: `${id}/retired` });
      await stores.alerts.closeFindings({ model: place.model, environment: place.environment, version: previous });
    }
    await stores.versions.transition({ model: place.model, version, to: 'live', by, why, eventId: `${id}/live` });
  }

  async function versionBefore({ model, environment }: Place, generation: number): Promise<number | null> {
    const route = (await stores.routes.history(environment, model)).find((item) => item.generation === generation);
    return route?.arms.find((arm) => arm.role === 'live')?.version ?? null;
  }

  async function refuse(place: Place, request: RollbackRequest, message: string): Promise<void> {
    await note(place, `rollback-refused/${request.id}`, request.by, 'rollback-refused', { reason: request.reason, message });
  }
}
