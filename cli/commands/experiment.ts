import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Branch } from '../../contract/api/requests.js';
import { Experiment, ExperimentView } from '../../contract/experiment.js';
import { Commit } from '../../contract/ref.js';
import type { Context } from '../command.js';
import { UsageError } from '../errors.js';
import { Cancelled, follow, Started } from '../experiment/follow.js';
import { experimentPicture } from '../experiment/picture.js';
import { planOf, type PlanOptions } from '../experiment/plan.js';
import { experimentText, listText } from '../experiment/text.js';
import { commitWorkingTree } from '../experiment/working-tree.js';
import { plain, type Register } from '../register.js';

const Experiments = z.object({ experiments: z.array(Experiment) });

interface RunOptions extends PlanOptions { readonly branch?: string; readonly commit?: string; readonly detach?: boolean; readonly picture?: string }

export const addExperimentCommands: Register = (add, program) => {
  const experiment = program.command('experiment').description('trainings that register nothing: cross-validation, other parameters');
  add<[string], RunOptions>(experiment, 'run <model>', 'train the files of this folder as they are, or a branch or commit, by cross-validation or with other parameters', (command) => command
    .option('--branch <name>', 'the newest commit of this branch instead').option('--commit <id>', 'this commit instead')
    .option('--folds <k>', 'k-fold cross-validation').option('--vary <path=values...>', 'training.batchSize=16,32 or training.optimizer.learningRate=0.0001..0.1:log').option('--draw <n>', 'so many combinations at random (else all)')
    .option('--metric <name>', 'figure that decides (the first of evaluation.metrics, else accuracy, of a regression mae)').option('--seed <n>', 'of folds and of what is drawn', '1')
    .option('--trials <n>', 'at most so many trainings', '100').option('--minutes <n>', 'no training begins after so long', '240')
    .option('--parallel <n>', 'so many trainings at once; a training worker takes one at a time', '1')
    .option('--detach', 'come back when the commit was read').option('--picture <file>', 'also draw the result (SVG)'),
  async (context, options, model) => {
    const plan = planOf(options);
    const id = randomUUID();
    const source = await sourceOf(context, options, id);
    const started = await context.api.post(Started, `/models/${encodeURIComponent(model)}/experiments`, { plan, id, ...source.named });
    context.note(`experiment ${id}: ${started.trials} training${started.trials === 1 ? '' : 's'} of ${model} at ${started.commit.slice(0, 12)}, ${plan.parallel === 1 ? 'one after another' : `up to ${plan.parallel} at once, as far as training workers take them`}`);
    const detach = options.detach === true;
    const view = await follow(context, started, { onRead: source.forget, untilRead: detach });
    if (!detach || view.experiment.status !== 'running') return answer(context, view, options.picture);
    context.answer(started, () => `started: \`perennial experiment show ${id}\` tells how far it is`);
    return 0;
  });

  add<[string], { picture?: string }>(experiment, 'show <experiment>', 'its trainings and its combinations, best first', (command) => command.option('--picture <file>', 'also draw the result (SVG)'),
    async (context, { picture }, id) => answer(context, await context.api.get(ExperimentView, `/experiments/${encodeURIComponent(id)}`), picture));

  add<[string]>(experiment, 'list <model>', 'experiments of a model, newest first', plain,
    async (context, _options, model) => {
      const answered = await context.api.get(Experiments, `/models/${encodeURIComponent(model)}/experiments`);
      context.answer(answered, () => listText(answered.experiments));
      return 0;
    });

  add<[string]>(experiment, 'cancel <experiment>', 'stop it; what is done counts', plain,
    async (context, _options, id) => {
      const answered = await context.api.post(Cancelled, `/experiments/${encodeURIComponent(id)}/cancel`, {});
      context.answer(answered, () => (answered.cancelled ? `${id} is being stopped` : `${id} had ended already`));
      return answered.cancelled ? 0 : 1;
    });
};

/** What is trained: a commit, the newest of a branch, or a commit of the working tree that is forgotten as soon as it was read. */
async function sourceOf(context: Context, { branch, commit }: RunOptions, id: string): Promise<{ named: { commit?: string; branch?: string }; forget: () => Promise<void> }> {
  if (branch !== undefined && !Branch.safeParse(branch).success) throw new UsageError(`--branch: a branch name, found "${branch}"`);
  if (commit !== undefined && !Commit.safeParse(commit).success) throw new UsageError(`--commit: a full 40-digit commit id, found "${commit}"`);
  if (branch === undefined && commit === undefined) {
    const tree = await commitWorkingTree(context, id);
    return { named: { commit: tree.commit }, forget: () => tree.forget() };
  }
  return { named: { ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }, forget: () => Promise.resolve() };
}

async function answer(context: Context, view: ExperimentView, picture: string | undefined): Promise<number> {
  if (picture !== undefined) {
    const file = resolve(context.io.cwd, picture);
    await writeFile(file, experimentPicture(view));
    context.note(`written: ${file}`);
  }
  context.answer(view, () => experimentText(context, view));
  return ['failed', 'cancelled'].includes(view.experiment.status) ? 1 : 0;
}
