import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { FeatureViewState, Materialisation } from '../../contract/feature-store.js';
import { RunError } from '../../contract/run.js';
import { formatDuration } from '../../domain/times.js';
import type { Context } from '../command.js';
import { CommandError } from '../errors.js';
import { plain, type Register } from '../register.js';
import { moment, table } from '../table.js';

const Views = z.object({ views: z.array(FeatureViewState) });
const View = z.object({ view: FeatureViewState });
const Asked = z.object({ view: z.string(), materialisation: z.string() });
const Answer = z.object({ id: z.string(), status: z.enum(['starting', 'running', 'done', 'failed']), runs: z.array(Materialisation), error: RunError.nullable() });

const POLL_MS = 300;

export const addFeatureCommands: Register = (add, program) => {
  const features = add<[string?]>(program, 'features [view]', 'the feature views and how up to date they are, or one of them', plain, async (context, _options, name) => {
    if (name !== undefined) {
      const { view } = await context.api.get(View, `/features/${encodeURIComponent(name)}`);
      context.answer(view, () => viewText(context, view));
      return 0;
    }
    const { views } = await context.api.get(Views, '/features');
    context.answer({ views }, () => (views.length === 0 ? 'there is no feature view; one is described with `defineFeatureView(…)` in a repository' : table(['VIEW', 'ROWS', 'ENTITIES', 'AS OF', 'STATE', 'OWNER'],
      views.map((view) => [view.view, view.rows, view.entities, moment(view.asOf), stateOf(context, view), view.owner.name]))));
    return 0;
  });

  add<[string], { full?: boolean; detach?: boolean; id?: string }>(features, 'materialise <view>', 'bring a feature view up to date now',
    (command) => command.option('--full', 'read everything again, not only what may be new').option('--detach', 'only ask for it').option('--id <id>', 'of one that was asked for before, so that it happens once'),
    async (context, { full = false, detach = false, id = randomUUID() }, name) => {
      const asked = await context.api.post(Asked, `/features/${encodeURIComponent(name)}/materialise`, { full, id });
      if (detach) {
        context.answer(asked, () => `asked: materialisation ${asked.materialisation} of ${name}; \`perennial features ${name}\` shows what came of it`);
        return 0;
      }
      const done = await waitFor(context, asked);
      context.answer(done, () => done.runs.map(({ rowsAdded, rowsRead, asOf }) => `${context.paint.green('done')}: ${name} is as of ${asOf}; ${rowsRead ?? 0} rows read, ${rowsAdded ?? 0} new`).join('\n'));
      return 0;
    });
};

async function waitFor(context: Context, { view, materialisation: id }: z.infer<typeof Asked>): Promise<z.infer<typeof Answer>> {
  context.note(`materialisation ${id}: waiting for a compute worker`);
  for (;; await sleep(POLL_MS)) {
    const answer = await context.api.get(Answer, `/features/${encodeURIComponent(view)}/materialisations/${id}`);
    if (answer.error) throw new CommandError(answer.error.code, answer.error.message, answer.error.next);
    if (answer.status === 'done') return answer;
  }
}

function stateOf({ paint }: Context, { asOf, stale, lastFailure }: FeatureViewState): string {
  if (lastFailure) return paint.red('failing');
  if (asOf === null) return paint.yellow('not materialised yet');
  return stale ? paint.yellow('stale') : paint.green('fresh');
}

function viewText(context: Context, view: FeatureViewState): string {
  const { paint } = context;
  const age = view.asOf === null ? '' : `, ${formatDuration(Math.max(0, Date.now() - Date.parse(view.asOf)))} ago`;
  return [
    `${paint.bold(view.view)}  ${stateOf(context, view)}  ${view.purpose}`,
    `  of ${view.entity.join(', ')}: ${view.columns.join(', ')}`,
    `  owner ${view.owner.name} <${view.owner.email}>, ${view.repository} ${view.path} at ${view.commit.slice(0, 12)}`,
    `  every ${view.schedule}, fresh for ${view.freshness}, values hold for ${view.ttl}`,
    `  as of ${moment(view.asOf)}${age}: ${view.rows} rows of ${view.entities} entities in ${view.files} files`,
    ...(view.lastRun ? [`  last materialisation ${moment(view.lastRun.startedAt)}: ${view.lastRun.status}${view.lastRun.rowsAdded === null ? '' : `, ${view.lastRun.rowsRead ?? 0} rows read, ${view.lastRun.rowsAdded} new`}`] : []),
    ...(view.lastFailure?.error ? [`  ${paint.red('failed')} ${moment(view.lastFailure.endedAt)}: ${view.lastFailure.error.message} (${view.lastFailure.error.code})`, `  next: ${view.lastFailure.error.next}`] : []),
  ].join('\n');
}
