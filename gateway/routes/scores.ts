import { z } from 'zod';
import { JobId, ModelName, ModelParams, ScoreBody } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { findEnvironment, findModel, findVersion } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';

/** Starts the job's workflow, which reads the input, cuts it into partitions and writes the job's row. The same id again is the same job. */
export const startScore = defineRoute({
  method: 'POST', path: '/models/:model/score', summary: 'Score a file of rows', access: ['scientist'], params: ModelParams, body: ScoreBody,
  async handle({ params: { model }, body, caller, services: { stores, workflows } }) {
    await findModel(stores, model);
    await findEnvironment(stores, body.environment);
    const version = body.version ?? (await stores.routes.current(body.environment, model))?.arms.find((arm) => arm.role === 'live')?.version;
    if (version === undefined) throw new PerennialError('version/unknown', `no version of ${model} is live in ${body.environment}: name one`);
    await findVersion(stores, model, version);
    const job = requestId(body.id);
    await workflows.startScore(model, { job, version, input: body.input, by: caller.principal });
    return new Answer(202, { job, model, version, input: body.input });
  },
});

/** `unknown`: its first step has not written its row yet, or there is no such job. With the model's name, a job that failed before that is found too. */
export const getScore = defineRoute({
  method: 'GET', path: '/scores/:job', summary: 'How far a scoring job is', access: READERS, params: z.strictObject({ job: JobId }),
  query: z.strictObject({ model: ModelName.optional() }),
  async handle({ params: { job }, query, services: { stores, workflows } }) {
    const score = await stores.scores.get(job);
    if (score && score.finishedAt !== null) return { job, status: 'done', score, error: null };
    const model = score?.model ?? query.model;
    const error = model === undefined ? null : await workflows.scoreFailure(model, job);
    return { job, status: error ? 'failed' : score ? 'running' : 'unknown', score, error };
  },
});
