import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ErasureView } from '../../contract/erasure.js';
import { RunError } from '../../contract/run.js';
import type { Context } from '../command.js';
import { CommandError, UsageError } from '../errors.js';
import type { Register } from '../register.js';

const Asked = z.object({ erasure: z.string(), model: z.string(), created: z.boolean() });
const Answer = ErasureView.extend({ error: RunError.nullable() });
const List = z.object({ erasures: z.array(ErasureView) });

const POLL_MS = 300;

export const addEraseCommand: Register = (add, program) => {
  add<[string], { key?: string; column?: string[]; reason?: string; id?: string; list?: boolean }>(program, 'erase <model>', 'erase a row: in the prediction log, and in later snapshots; what was trained on it is listed',
    (command) => command.option('--key <key>', 'the row\'s key, or a prediction\'s id').option('--column <name...>', 'further columns of inputs, and attributes, in which predictions have the key').option('--reason <text>', 'why; keep personal data out of it').option('--id <id>', 'of an erasure that was asked for before').option('--list', 'only show the erasures of the model'),
    async (context, { key, column = [], reason, id = randomUUID(), list = false }, model) => {
      const path = `/models/${encodeURIComponent(model)}/erasures`;
      if (list) {
        const { erasures } = await context.api.get(List, path);
        context.answer({ erasures }, () => (erasures.length === 0 ? `no row of ${model} was erased` : erasures.map((one) => erasureText(context, one)).join('\n\n')));
        return 0;
      }
      if (key === undefined || reason === undefined) throw new UsageError('--key and --reason are needed, or --list');
      const asked = await context.api.post(Asked, path, { key, columns: column, reason, id });
      const done = await searched(context, asked.erasure);
      context.answer({ ...done, created: asked.created }, () => erasureText(context, done));
      return 0;
    });
};

async function searched(context: Context, id: string): Promise<ErasureView> {
  context.note(`erasure ${id} is recorded: looking for snapshots that hold the row`);
  for (;; await sleep(POLL_MS)) {
    const { error, ...view } = await context.api.get(Answer, `/erasures/${id}`);
    if (error) throw new CommandError(error.code, `${error.message}: the erasure is recorded, and later snapshots leave the row out, but those that hold it are not all known`, error.next);
    if (view.erasure.searchedAt !== null) return view;
  }
}

function erasureText({ paint }: Pick<Context, 'paint'>, { erasure, snapshots, versions, predictions, frozen }: ErasureView): string {
  const names = versions.map(({ version, status }) => `${erasure.model}@${version} (${status})`);
  return [
    `${paint.bold(`erasure ${erasure.id}`)} of ${erasure.requestedAt} by ${erasure.by}: ${erasure.reason}`,
    ...(snapshots.length === 0 ? ['  no snapshot holds the row'] : snapshots.map(({ snapshot, removedAt }) => `  snapshot ${snapshot.slice(0, 12)} ${removedAt === null ? `holds it; its files go once a snapshot without it is there: \`perennial retrain ${erasure.model}\`` : `held it; its files were removed ${removedAt}`}`)),
    `  ${names.length === 0 ? 'no version was trained on it' : `versions that were trained on it: ${names.join(', ')}`}`,
    `  ${predictions === 0 ? 'no prediction of the log was found to be of it' : `${predictions} predictions of the log were erased`}`,
    ...frozen.map(({ name, rows }) => `  the frozen test set ${name} was made anew without it, of ${rows} rows: figures of before and after are not comparable`),
  ].join('\n');
}
