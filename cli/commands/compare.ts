import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Comparison, type ComparedFact } from '../../contract/comparison.js';
import { comparisonPicture } from '../compare/picture.js';
import type { Context } from '../command.js';
import { UsageError } from '../errors.js';
import type { Register } from '../register.js';
import { figure, table } from '../table.js';

const LONGEST = 40;

export const addCompareCommand: Register = (add, program) => {
  add<[string, string[]], { all?: boolean; picture?: string }>(program, 'compare <first> <others...>', 'runs and versions side by side (car-truck@1 car-truck-r3): metrics, parameters, data, code',
    (command) => command.option('--all', 'also what is the same in all').option('--picture <file>', 'also write metrics and learning curves as a picture (SVG)'),
    async (context, { all = false, picture }, first, others) => {
      const names = [first, ...others];
      if (names.length > 8) throw new UsageError(`at most 8 can be compared, found ${names.length}`);
      const comparison = await context.api.get(Comparison, '/compare', { of: names.join(',') });
      if (picture !== undefined) {
        const file = resolve(context.io.cwd, picture);
        await writeFile(file, comparisonPicture(comparison));
        context.note(`written: ${file}`);
      }
      context.answer(comparison, () => comparisonText(context, comparison, all));
      return 0;
    });
};

function comparisonText({ paint }: Pick<Context, 'paint'>, { subjects, sameTestRows, metrics, parameters, data, code }: Comparison, all: boolean): string {
  const section = (title: string, facts: readonly ComparedFact[]) => {
    const shown = facts.filter(({ same }) => all || !same);
    if (shown.length > 0) return ['', table([title, ...subjects.map(({ name }) => name)], shown.map(({ name, values }) => [name, ...values.map(cell)]))];
    return ['', facts.length > 0 ? `${title}  ${paint.dim('the same')}` : `${title}  ${paint.dim('nothing is known')}`];
  };
  const epochs = subjects.some(({ losses }) => losses.length > 0);
  const measured = [...metrics, ...(epochs ? [lossFact('last loss', subjects, 'training'), lossFact('last validation loss', subjects, 'validation')] : [])];
  return [
    table(['', ...subjects.map(({ name }) => name)], [['run', ...subjects.map(({ run }) => run)], ['version', ...subjects.map(({ version }) => version)], ['status', ...subjects.map(({ status }) => status)]]),
    '', table(['METRICS', ...subjects.map(({ name }) => name)], measured.map(({ name, values }) => [name, ...values.map(cell)])),
    ...(sameTestRows === false ? [paint.yellow('judged on different test rows: the metrics cannot be held against each other')] : []),
    ...section('PARAMETERS', parameters), ...section('DATA', data), ...section('CODE', code),
    ...(all ? [] : ['', paint.dim('what is the same is left out: --all shows it')]),
  ].join('\n');
}

function lossFact(name: string, subjects: Comparison['subjects'], of: 'training' | 'validation'): ComparedFact {
  return { name, values: subjects.map(({ losses }) => losses.at(-1)?.[of] ?? null), same: false };
}

function cell(value: number | string | null): string | number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : Math.abs(value) < 0.001 ? value.toPrecision(3) : figure(value, 4);
  return value !== null && value.length > LONGEST ? `${value.slice(0, LONGEST - 1)}…` : value;
}
