import { z } from 'zod';
import { SnapshotParams } from '../../contract/api/requests.js';
import type { EvaluationReport } from '../../contract/evaluation.js';
import { isRegression } from '../../contract/evaluation.js';
import { FrozenRecord, FrozenSet, HoldoutUse } from '../../contract/frozen.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { figureText, headlines } from '../../domain/quality.js';
import type { Context } from '../command.js';
import { UsageError } from '../errors.js';
import type { Register } from '../register.js';
import { moment, table } from '../table.js';

const Frozen = z.object({ set: FrozenSet, created: z.boolean() });
const List = z.object({ frozen: z.array(z.object({ set: FrozenSet, use: HoldoutUse })) });

export const addFrozenCommands: Register = (add, program) => {
  add<[string, string], { reason: string; snapshot?: string }>(program, 'freeze <of> <name>', 'freeze the test rows of a version (car-truck@3), or of a model\'s newest snapshot, under a name',
    (command) => command.requiredOption('--reason <text>', 'why; it is kept with the set').option('--snapshot <digest>', 'of this snapshot of the model'),
    async (context, { reason, snapshot }, of, name) => {
      const version = VersionName.safeParse(of).success ? parseVersionName(of) : null;
      if (snapshot !== undefined && version) throw new UsageError('--snapshot: of a model; a version has a snapshot of its own');
      if (snapshot !== undefined && !SnapshotParams.safeParse({ snapshot }).success) throw new UsageError(`--snapshot: "${snapshot}" is not the first 8 or more digits of a snapshot's digest`);
      const model = version?.model ?? of;
      const answer = await context.api.post(Frozen, `/models/${encodeURIComponent(model)}/frozen`, { name, reason, ...(version ? { version: version.version } : {}), ...(snapshot === undefined ? {} : { snapshot }) });
      const { set } = answer;
      context.answer(answer, () => `${answer.created ? 'frozen' : 'these rows are frozen already'}: ${set.revisions[0]?.rows ?? 0} test rows of snapshot ${set.snapshot.slice(0, 12)} as ${name}\nto measure every candidate on them: evaluation: { frozen: ['${name}'], … }`);
      return 0;
    });

  add<[string, string | undefined]>(program, 'frozen <model> [name]', 'frozen test sets, or all that was measured on one of them', (command) => command, async (context, _options, model, name) => {
    const path = `/models/${encodeURIComponent(model)}/frozen`;
    if (name === undefined) {
      const answer = await context.api.get(List, path);
      context.answer(answer, () => listText(model, answer));
      return 0;
    }
    const record = await context.api.get(FrozenRecord, `${path}/${encodeURIComponent(name)}`);
    context.answer(record, () => recordText(context, record));
    return 0;
  });
};

function listText(model: string, { frozen }: z.infer<typeof List>): string {
  if (frozen.length === 0) return `no test rows of ${model} are frozen: \`perennial freeze ${model} NAME --reason …\``;
  return table(['NAME', 'ROWS', 'SNAPSHOT', 'FROZEN', 'BY', 'COMPARISONS', 'WHY'], frozen.map(({ set, use }) => [set.name, use.rows, set.snapshot.slice(0, 12), moment(set.frozenAt), set.by, `${use.comparisons}${use.overused ? ' (too many)' : ''}`, set.reason]));
}

function recordText({ paint }: Pick<Context, 'paint'>, { set, use, measurements }: FrozenRecord): string {
  const revisionOf = new Map(set.revisions.map(({ digest, revision }) => [digest, revision]));
  const several = set.revisions.length > 1;
  const names = measurements[0] ? figureNames(measurements[0].report) : [];
  return [
    `${paint.bold(`${set.model} ${set.name}`)}  ${use.rows} rows, of snapshot ${set.snapshot.slice(0, 12)}, frozen ${moment(set.frozenAt)} by ${set.by}: ${set.reason}`,
    ...set.revisions.slice(1).map(({ revision, erasure, rows, madeAt }) => paint.yellow(`revision ${revision} of ${moment(madeAt)}: without the row of erasure ${erasure ?? ''}, ${rows} rows; figures of other revisions are not comparable with it`)),
    '',
    measurements.length === 0 ? 'nothing was measured on it yet' : table(
      ['MEASURED', 'RUN', 'VERSION', ...(several ? ['REVISION'] : []), 'ROWS', ...names.map((name) => name.toUpperCase())],
      measurements.map(({ measuredAt, run, version, digest, report }) => [moment(measuredAt), run, version === null ? null : `${set.model}@${version}`, ...(several ? [revisionOf.get(digest)] : []), report.overall.n, ...headlines(report.overall).map(figureText)])),
    ...useText({ paint }, use, measurements[0]?.report ?? null),
  ].join('\n');
}

function figureNames({ overall }: EvaluationReport): string[] {
  return headlines(overall).map(({ metric }) => metric);
}

const percent = (share: number) => `${(share * 100).toFixed(1)}%`;

/** What the number of comparisons is worth: for shares such as accuracy, to which the bounds belong. */
function useText({ paint }: Pick<Context, 'paint'>, { comparisons, rows, byChance, adaptively, overused }: HoldoutUse, report: EvaluationReport | null): string[] {
  if (byChance === null || adaptively === null) return [];
  const bounds = report && isRegression(report.overall) ? '' : `: by chance alone the best may look ${percent(byChance)} better than it is, and up to ${percent(adaptively)} at worst where each was made after looking at the figures before`;
  return ['', `${comparisons} compared on these ${rows} rows${bounds}`,
    ...(overused ? [paint.yellow('over-used: more than one comparison for every hundred rows; freeze newer test rows under another name, and judge by those')] : [])];
}
