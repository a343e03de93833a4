import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { RunId } from '../../contract/api/requests.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { RunStatus } from '../../contract/run.js';
import type { Context } from '../command.js';
import { compressionText } from '../compression.js';
import { CommandError, UsageError } from '../errors.js';
import { followRun } from '../follow.js';
import type { Register } from '../register.js';
import { changeTable } from '../quality.js';
import { modelText, removedText, runText, runsTable } from '../render.js';
import { moment, table } from '../table.js';
import { ModelView, Requested, Runs, RunView, VersionView, type Run } from '../views.js';

const REFUSED = ['failed', 'refused', 'rejected', 'expired', 'cancelled'];

/** 1 for a run that ended without its purpose. */
export const codeOf = (run: Pick<Run, 'status'>): number => (REFUSED.includes(run.status) ? 1 : 0);

export const addRunCommands: Register = (add, program) => {
  add<[], { model?: string; status?: string; limit: string }>(program, 'runs', 'list runs, newest first',
    (command) => command.option('--model <name>', 'of this model').option('--status <status>', 'with this status').option('--limit <n>', 'at most so many', '20'),
    async (context, { model, status, limit }) => {
      if (status !== undefined && !RunStatus.safeParse(status).success) throw new UsageError(`--status: one of ${RunStatus.options.join(', ')}`);
      const answer = await context.api.get(Runs, '/runs', { model, status, limit });
      context.answer(answer, () => [...answer.removed.map((one) => context.paint.yellow(removedText(one.model, one))), runsTable(context, answer.runs)].join('\n'));
      return 0;
    });

  add<[string], { follow?: boolean; until?: string }>(program, 'show <what>', 'show a model, a run (car-truck-r1) or a version (car-truck@3)',
    (command) => command.option('--follow', 'show progress until the run ends').option('--until <status>', 'with --follow: end when it is `waiting` for a decision'),
    async (context, { follow = false, until }, what) => {
      if (until !== undefined && until !== 'waiting') throw new UsageError('--until: only `waiting` can be waited for');
      if (VersionName.safeParse(what).success) return showVersion(context, what);
      const run = RunId.safeParse(what).success ? what : follow ? await newestRun(context, what) : null;
      if (run === null) {
        const view = await context.api.get(ModelView, `/models/${encodeURIComponent(what)}`);
        context.answer(view, () => modelText(context, view));
        return 0;
      }
      const view = follow ? await followRun(context, run, { untilWaiting: until === 'waiting' }) : await context.api.get(RunView, `/runs/${run}`);
      context.answer(view, () => runText(context, view));
      return follow ? codeOf(view.run) : 0;
    });

  add<[string], { reason: string; force?: boolean; follow?: boolean }>(program, 'retrain <model>', 'ask for a run',
    (command) => command.option('--reason <text>', 'why', 'requested').option('--force', 'train even though nothing changed').option('--follow', 'show its progress until it ends'),
    async (context, { reason, force = false, follow = false }, model) => {
      const id = randomUUID();
      const asked = await context.api.post(Requested, `/models/${encodeURIComponent(model)}/retrain`, { reason, force, id });
      const run = await runOfCause(context, model, `request:${id}`, 10_000);
      if (run === null) {
        context.answer({ ...asked, run: null }, () => `asked; the run begins when the governor lets it (cooldown, budget, worker): \`perennial runs --model ${model}\``);
        return 0;
      }
      if (!follow) {
        context.answer({ ...asked, run: run.id }, () => `run ${run.id} · follow: perennial show --follow ${run.id}`);
        return 0;
      }
      const view = await followRun(context, run.id, { untilWaiting: false });
      context.answer(view, () => runText(context, view));
      return codeOf(view.run);
    });

  add<[string], { reason: string }>(program, 'cancel <run>', 'stop a run', (command) => command.requiredOption('--reason <text>', 'why'),
    async (context, { reason }, run) => {
      const answer = await context.api.post(Requested, `/runs/${encodeURIComponent(run)}/cancel`, { reason });
      context.answer(answer, () => `asked ${run} to stop`);
      return 0;
    });
};

async function showVersion(context: Context, name: string): Promise<number> {
  const { model, version } = parseVersionName(name);
  const view = await context.api.get(VersionView, `/models/${model}/versions/${version}`);
  context.answer(view, () => [
    `${context.paint.bold(name)}  ${view.version.status}  run ${view.version.run}  commit ${view.version.commit.slice(0, 8)}  registered ${moment(view.version.registeredAt)}`,
    `package ${view.version.packageDigest.slice(0, 12)}  snapshot ${view.version.snapshot.slice(0, 12)}`, '',
    ...(view.evaluation ? [changeTable(view.evaluation.overall, null), ''] : []),
    ...(view.compression ? [compressionText(view.compression), ''] : []),
    table(['AT', 'FROM', 'TO', 'BY', 'WHY'], view.transitions.map((one) => [moment(one.at), one.from, one.to, one.by, one.why])),
  ].join('\n'));
  return 0;
}

/** The newest open run of a model, else its newest. */
async function newestRun(context: Context, model: string): Promise<string> {
  const { open, runs } = await context.api.get(ModelView, `/models/${encodeURIComponent(model)}`);
  const found = open.at(-1) ?? runs[0];
  if (!found) throw new CommandError('run/unknown', `${model} has no run yet`, `Start one with \`perennial retrain ${model}\`.`);
  return found.id;
}

async function runOfCause(context: Context, model: string, cause: string, forMs: number): Promise<Run | null> {
  for (const until = Date.now() + forMs; Date.now() < until; await sleep(250)) {
    const found = (await context.api.get(Runs, '/runs', { model, limit: 20 })).runs.find((run) => run.cause === cause);
    if (found) return found;
  }
  return null;
}

