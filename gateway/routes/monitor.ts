import { z } from 'zod';
import { CheckBody, ModelParams } from '../../contract/api/requests.js';
import { findEnvironment, findModel } from '../find.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';

export const listChecks = defineRoute({
  method: 'GET', path: '/models/:model/checks', summary: 'Monitoring checks, newest first', access: READERS, params: ModelParams,
  query: z.strictObject({ limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(20) }),
  async handle({ params: { model }, query, services: { stores } }) {
    await findModel(stores, model);
    return { checks: await stores.checks.list(model, query.limit) };
  },
});

export const startCheck = defineRoute({
  method: 'POST', path: '/models/:model/check', summary: 'Run the monitoring check now', access: ['scientist', 'operator'], params: ModelParams, body: CheckBody,
  async handle({ params: { model }, body, services: { stores, workflows } }) {
    await findModel(stores, model);
    await findEnvironment(stores, body.environment);
    const workflow = await workflows.startCheck(model, body.environment, requestId(body.id));
    return new Answer(202, { model, environment: body.environment, workflow });
  },
});

export const listFindings = defineRoute({
  method: 'GET', path: '/models/:model/findings', summary: 'Findings, open ones first', access: READERS, params: ModelParams,
  async handle({ params: { model }, services: { stores } }) {
    await findModel(stores, model);
    return { findings: await stores.alerts.listFindings({ model }) };
  },
});
