import { z } from 'zod';
import { CancelBody, ModelName, RunParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { RunStatus } from '../../contract/run.js';
import { explainRun } from '../explain.js';
import { findRun } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';
import { loadRunView } from '../run-view.js';
import { streamRun } from '../stream.js';

const Limit = (most: number, preset: number) => z.coerce.number().pipe(z.int().min(1).max(most)).default(preset);
const After = z.coerce.number().pipe(z.int().min(0)).default(0);

export const listRuns = defineRoute({
  method: 'GET', path: '/runs', summary: 'Runs, newest first; and models whose file was removed, so that no run begins by itself', access: READERS,
  query: z.strictObject({ model: ModelName.optional(), status: RunStatus.optional(), limit: Limit(500, 50) }),
  async handle({ query: { model, status, limit }, services: { stores } }) {
    const [runs, models] = await Promise.all([stores.runs.list({ limit, ...(model === undefined ? {} : { model }), ...(status === undefined ? {} : { status }) }), stores.models.list()]);
    return { runs, removed: models.flatMap(({ name, removed }) => (removed && (model === undefined || model === name) ? [{ model: name, ...removed }] : [])) };
  },
});

export const getRun = defineRoute({
  method: 'GET', path: '/runs/:run', summary: 'A run: gates, evaluations, evidence, decisions, and in words where it stands', access: READERS, params: RunParams,
  async handle({ params, services: { stores } }) {
    const view = await loadRunView(stores, await findRun(stores, params.run));
    return { ...view, explanation: explainRun(view) };
  },
});

export const listEvents = defineRoute({
  method: 'GET', path: '/runs/:run/events', summary: 'Progress of a run after an event', access: READERS, params: RunParams,
  query: z.strictObject({ after: After, limit: Limit(1000, 500) }),
  async handle({ params, query, services: { stores } }) {
    await findRun(stores, params.run);
    return { events: await stores.runs.events(params.run, query.after, query.limit) };
  },
});

export const streamEvents = defineRoute({
  method: 'GET', path: '/runs/:run/stream', summary: 'The same as server-sent events, until the run ends (Last-Event-ID goes on)', access: READERS, params: RunParams,
  query: z.strictObject({ after: After }),
  async handle({ params, query, request, reply, services }) {
    const run = await findRun(services.stores, params.run);
    const last = Number(request.headers['last-event-id'] ?? 0);
    streamRun(services, run.id, Number.isSafeInteger(last) && last > query.after ? last : query.after, request, reply);
  },
});

export const cancelRun = defineRoute({
  method: 'POST', path: '/runs/:run/cancel', summary: 'Stop a run', access: ['scientist', 'operator'], params: RunParams, body: CancelBody,
  async handle({ params, body, caller, services: { stores, workflows } }) {
    const run = await findRun(stores, params.run);
    if (run.endedAt !== null) throw new PerennialError('decision/late', `${run.id} is over: it is ${run.status}`);
    const id = requestId(body.id);
    const reached = await workflows.cancel(run.model, run.id, { v: 1, id, by: caller.principal, reason: body.reason, superseded: false });
    if (!reached) throw new PerennialError('decision/late', `${run.id} has no workflow that runs: it is ${run.status}`);
    return new Answer(202, { run: run.id, requested: id });
  },
});
