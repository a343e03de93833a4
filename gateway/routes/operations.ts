import { ModelParams, PauseBody, ReleaseBody, ResumeBody, RetrainBody, RollbackBody } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { workflowId } from '../../contract/names.js';
import { judgeRelease } from '../../domain/admission.js';
import { parseDuration } from '../../domain/times.js';
import { breakGlassRollback, rollbackMade, rollbackTargetOf } from '../break-glass.js';
import { findEnvironment, findModel, findVersion, releaseEnvironment } from '../find.js';
import { requireIn } from '../http/caller.js';
import { Answer, defineRoute } from '../http/route.js';
import { requestId } from '../request-id.js';

export const retrain = defineRoute({
  method: 'POST', path: '/models/:model/retrain', summary: 'Ask the model\'s governor for a run', access: ['scientist'], params: ModelParams, body: RetrainBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    await findModel(stores, model);
    const id = requestId(body.id);
    const cause = `request:${id}`;
    await workflows.train(model, { v: 1, id, cause, commit: null, reason: { kind: 'request', detail: body.reason, by: caller.principal, force: body.force } });
    return new Answer(202, { model, requested: id, cause });
  },
});

/** The environment's workflow is the choke point; what it would refuse for sure is answered here at once. */
export const release = defineRoute({
  method: 'POST', path: '/models/:model/release', summary: 'Release an approved version', access: ['operator'], params: ModelParams, body: ReleaseBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    const version = await findVersion(stores, model, body.version);
    const name = `${model}@${body.version}`;
    const evidence = await stores.evidence.current(version.run);
    if (!evidence) throw new PerennialError('release/not-approved', `${name} has no sealed evidence`);
    const { environment } = evidence;
    requireIn(caller, 'operator', environment);
    const route = await stores.routes.current(environment, model);
    const decision = await stores.decisions.acceptedFor(version.run, evidence.digest);
    // A pause or a freeze only holds it, so neither is asked here.
    const verdict = judgeRelease({
      version, environment, evidence: { digest: evidence.digest, liveGeneration: evidence.liveGeneration }, force: body.force,
      decision: decision && { version: evidence.version, environment, evidence: decision.evidence, verdict: decision.decision.verdict },
      generation: route?.generation ?? 0, liveVersion: route?.arms.find((arm) => arm.role === 'live')?.version ?? null,
      quarantined: version.status === 'quarantined', paused: false, frozen: null,
    });
    // A run's own release is judged again where it is stale; nobody does that for an operator's.
    if (!verdict.admit) throw new PerennialError(verdict.stale === true ? 'release/stale-evidence' : verdict.code, `${name}: ${verdict.message}`);
    const id = requestId(body.id);
    const { keepWarm } = await releaseEnvironment(stores, model);
    await workflows.tellEnvironment(model, environment, 'release', {
      v: 1, id, run: version.run, version: version.version, evidence: evidence.digest, force: body.force, by: caller.principal,
      replyTo: workflowId.lifecycle(model, version.run), keepWarmMs: parseDuration(keepWarm),
    });
    return new Answer(202, { model, environment, version: version.version, requested: id });
  },
});

/**
 * Tells the environment's workflow. With Temporal away, or when the caller says so, the route is written here by the same
 * compare-and-set, and the workflow reconciles later.
 */
export const rollback = defineRoute({
  method: 'POST', path: '/models/:model/rollback', summary: 'Go back to the version before, and quarantine the one that is left', access: ['operator'], params: ModelParams, body: RollbackBody,
  async handle({ params: { model }, body, caller, services }) {
    const { stores, workflows } = services;
    await findModel(stores, model);
    await findEnvironment(stores, body.environment);
    requireIn(caller, 'operator', body.environment);
    const id = requestId(body.id);
    const made = await rollbackMade(stores, model, body.environment, id);
    if (made && !made.breakGlass) return { model, environment: body.environment, ...made, requested: id };
    const broken = async (why: string) => breakGlassRollback(services, { id, model, environment: body.environment, to: body.to, reason: body.reason, by: caller.principal, why });
    if (made || body.breakGlass) return broken('asked for');
    const plan = await rollbackTargetOf(stores, model, body.environment, body.to);
    try {
      await workflows.tellEnvironment(model, body.environment, 'rollback', { v: 1, id, reason: body.reason, by: caller.principal, to: body.to });
    } catch (error) {
      if (!(error instanceof PerennialError) || error.code !== 'temporal/unavailable') throw error;
      return broken('Temporal is away');
    }
    return new Answer(202, { model, environment: body.environment, from: plan.from, to: plan.to, generation: plan.generation, requested: id, breakGlass: false });
  },
});

export const resume = defineRoute({
  method: 'POST', path: '/models/:model/resume', summary: 'Let releases go on, and lift the quarantine of a version', access: ['operator'], params: ModelParams, body: ResumeBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    await findModel(stores, model);
    await findEnvironment(stores, body.environment);
    requireIn(caller, 'operator', body.environment);
    if (body.version !== null) await findVersion(stores, model, body.version);
    const id = requestId(body.id);
    await workflows.tellEnvironment(model, body.environment, 'resume', { v: 1, id, version: body.version, by: caller.principal, reason: body.reason });
    return new Answer(202, { model, environment: body.environment, requested: id });
  },
});

export const pause = defineRoute({
  method: 'POST', path: '/models/:model/pause', summary: 'Hold releases', access: ['operator'], params: ModelParams, body: PauseBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    await findModel(stores, model);
    await findEnvironment(stores, body.environment);
    requireIn(caller, 'operator', body.environment);
    const id = requestId(body.id);
    await workflows.tellEnvironment(model, body.environment, 'pause', { v: 1, id, by: caller.principal, reason: body.reason });
    return new Answer(202, { model, environment: body.environment, requested: id });
  },
});
