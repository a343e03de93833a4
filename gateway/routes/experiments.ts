import { ExperimentBody, ExperimentParams, ModelParams } from '../../contract/api/requests.js';
import { ExperimentView } from '../../contract/experiment.js';
import { PerennialError } from '../../contract/errors.js';
import { bestOf, standingsOf, trialsPlanned } from '../../domain/experiment.js';
import type { StoredExperiment } from '../../stores/experiments.js';
import { findExperiment, findModel } from '../find.js';
import { loadHeads } from '../git-heads.js';
import { Answer, defineRoute, READERS } from '../http/route.js';
import { requestId } from '../request-id.js';

const HEADS_MS = 4_000;

export const startExperiment = defineRoute({
  method: 'POST', path: '/models/:model/experiments', summary: 'Train a commit with other parameters, or by cross-validation, and register nothing', access: ['scientist'], params: ModelParams, body: ExperimentBody,
  async handle({ params: { model: name }, body: { commit: given, branch, plan, id: own }, caller, services: { stores, workflows } }) {
    const model = await findModel(stores, name);
    const id = requestId(own);
    const known = await stores.experiments.get(id);
    if (known && known.model !== name) throw new PerennialError('request/invalid', `id: there is an experiment ${id} of ${known.model}`);
    const commit = known?.commit ?? given ?? await newestOf(model.repository, branch);
    await workflows.startExperiment({ model: name, id, commit, branch, by: caller.principal, plan });
    return new Answer(202, { experiment: id, model: name, commit, trials: Math.min(trialsPlanned(plan), plan.budget.trials) });

    async function newestOf(repository: string, of: string): Promise<string> {
      const registered = await stores.repositories.get(repository);
      if (!registered) throw new PerennialError('repository/unknown', `there is no repository ${repository}`);
      const newest = (await loadHeads(registered.url, [of], HEADS_MS)).get(of);
      if (newest === undefined) throw new PerennialError('repository/commit-missing', `repository ${repository} has no branch ${of}`);
      return newest;
    }
  },
});

export const getExperiment = defineRoute({
  method: 'GET', path: '/experiments/:experiment', summary: 'An experiment: its trainings, and its combinations, best first', access: READERS, params: ExperimentParams, response: ExperimentView,
  async handle({ params: { experiment: id }, services: { stores } }) {
    const experiment = await findExperiment(stores, id);
    const trials = await stores.experiments.trials(id);
    const standings = experiment.metric === null ? [] : standingsOf(trials, experiment.metric, experiment.plan);
    return { v: 1, experiment: publicOf(experiment), planned: trialsPlanned(experiment.plan), trials, standings, best: bestOf(standings) };
  },
});

export const listExperiments = defineRoute({
  method: 'GET', path: '/models/:model/experiments', summary: 'A model\'s experiments, newest first', access: READERS, params: ModelParams,
  async handle({ params: { model }, services: { stores } }) {
    await findModel(stores, model);
    return { experiments: (await stores.experiments.listFor(model)).map(publicOf) };
  },
});

export const cancelExperiment = defineRoute({
  method: 'POST', path: '/experiments/:experiment/cancel', summary: 'Stop an experiment; what is done counts', access: ['scientist', 'operator'], params: ExperimentParams,
  async handle({ params: { experiment: id }, services: { stores, workflows } }) {
    const { model, status } = await findExperiment(stores, id);
    return { experiment: id, cancelled: status === 'running' && await workflows.cancelExperiment(model, id) };
  },
});

/** Without what the commit says, which `show` has no use for. */
function publicOf({ definition: _definition, networkBundle: _bundle, ...experiment }: StoredExperiment) {
  return experiment;
}
