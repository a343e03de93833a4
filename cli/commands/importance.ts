import { z } from 'zod';
import { RunId } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import type { FeatureReport } from '../../contract/importance.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { ERROR_NAMES, growthCells } from '../../domain/importance.js';
import { metricText } from '../../domain/metrics.js';
import type { Api } from '../api.js';
import { plain, type Register } from '../register.js';
import { table } from '../table.js';
import { RunView, Versions, VersionView } from '../views.js';

const BAR = 24;

export const addImportanceCommand: Register = (add, program) => {
  add<[string]>(program, 'importance <of>', 'which columns the answers of a model, a version (churn@3) or a run (churn-r1) hang on, and which say the same', plain,
    async (context, _options, of) => {
      const run = await runOf(context.api, of);
      const { evaluations: { offline } } = await context.api.get(RunView, `/runs/${run}`);
      if (!offline?.features) throw new PerennialError('request/invalid', offline ? `${run} has no columns to tell apart: importance is measured of models on tables, on two test rows or more` : `${run} was not evaluated: importance is measured with the evaluation`);
      const { features } = offline;
      context.answer({ run, features }, () => importanceText(run, features));
      return 0;
    });
};

async function runOf(api: Api, of: string): Promise<string> {
  if (RunId.safeParse(of).success) return of;
  if (VersionName.safeParse(of).success) {
    const { model, version } = parseVersionName(of);
    return (await api.get(z.object({ version: VersionView.shape.version }), `/models/${model}/versions/${version}`)).version.run;
  }
  const [newest] = (await api.get(Versions, `/models/${encodeURIComponent(of)}/versions`)).versions;
  if (!newest) throw new PerennialError('version/unknown', `${of} has no version yet: name one of its runs`);
  return newest.run;
}

function importanceText(run: string, { metric, rows, repeats, error, columns, redundant }: FeatureReport): string {
  const largest = Math.max(...columns.map(({ importance }) => importance), Number.MIN_VALUE);
  const said = redundant.map((group) => [group.columns.join(', '), group.strength.toFixed(2), ...growthCells(metric, group)]);
  return [
    `${run}: error of ${metricText(metric, error)} (${ERROR_NAMES[metric]}) on ${rows} test rows; what a column's values add to it when they are exchanged among the rows (mean of ${repeats} times)`, '',
    table(['COLUMN', 'ADDS', '95% INTERVAL', ''], columns.map((column) => [column.name, ...growthCells(metric, column), '█'.repeat(Math.round(BAR * Math.max(0, column.importance) / largest)) || null])),
    ...(said.length > 0 ? ['', 'These say nearly the same, so that each alone seems to matter less than all of them together:', table(['COLUMNS', 'TIE', 'TOGETHER ADD', '95% INTERVAL'], said)] : []),
    ...spare(columns, redundant),
  ].join('\n');
}

/** Columns that nothing was lost without: candidates to be left out, if they do not share what they say with another. */
function spare(columns: FeatureReport['columns'], redundant: FeatureReport['redundant']): string[] {
  const tied = new Set(redundant.filter(({ interval: [low] }) => low > 0).flatMap((group) => group.columns));
  const names = columns.filter(({ name, interval: [low] }) => low <= 0 && !tied.has(name)).map(({ name }) => name);
  return names.length > 0 ? ['', `No loss was seen without: ${names.join(', ')}. To see whether the model does as well without them, train it so.`] : [];
}
