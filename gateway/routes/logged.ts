import { z } from 'zod';
import { LoggedParams } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { LoggedView } from '../../contract/logged.js';
import { findModel } from '../find.js';
import { defineRoute } from '../http/route.js';

/** Inputs are left out: they may be a person's, and are as large as a request. */
export const logged = defineRoute({
  method: 'GET', path: '/models/:model/logged/:id', summary: 'What the log holds of a prediction, or of all of a request\'s, by its id', access: ['scientist', 'operator', 'auditor', 'admin'], params: LoggedParams, response: LoggedView,
  async handle({ params: { model, id }, services: { stores } }) {
    await findModel(stores, model);
    const one = z.uuid().safeParse(id).success ? await stores.predictions.get(id) : null;
    const [predictions, refusals] = one?.model === model ? [[one], []] : await Promise.all([stores.predictions.findByRequest(model, id), stores.refusals.findByRequest(model, id)]);
    if (predictions.length + refusals.length === 0) throw new PerennialError('prediction/unknown', `the log holds no prediction and no request of ${model} with the id ${id}`, { model, id });
    return LoggedView.parse({ predictions, refusals });
  },
});
