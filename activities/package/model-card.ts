import { isRegression } from '../../contract/evaluation.js';
import type { EvaluationReport, QualityReport } from '../../contract/evaluation.js';
import type { AnyMetric } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import type { Target } from '../../definition/target.js';
import { measure } from '../../domain/measure.js';
import { metricText } from '../../domain/metrics.js';
import { figureText, headlines, headlineText } from '../../domain/quality.js';
import { percent } from '../html.js';

/** The model card: for whom, on what data, how good and where not. The same inputs give the same text. */
export function modelCard({ definition, commit, snapshot, evaluation }: { definition: ModelDefinition; commit: string; snapshot: string; evaluation: EvaluationReport }): string {
  const { name, purpose, owner, training, data } = definition;
  return [
    `# ${name}`, '', purpose, '',
    `- Owner: ${owner.name} <${owner.email}>`,
    `- Commit: \`${commit}\``, `- Snapshot: \`${snapshot}\``,
    targetLine(data.target),
    `- Training: ${training.epochs} epochs, batch ${training.batchSize}, ${training.optimizer.kind} at ${training.optimizer.learningRate}, seed ${training.seed}`,
    '', '## On unseen data', '',
    `${headlineText(evaluation.overall)} on ${evaluation.overall.n} rows.`, '',
    ...figuresOf(evaluation.overall),
    ...(evaluation.slices.length > 0 ? ['', `| slice | ${headlines(evaluation.overall)[0].metric} | rows |`, '|---|---|---|', ...evaluation.slices.map(({ name: slice, report }) => `| ${slice} | ${figureText(headlines(report)[0])} | ${report.n} |`)] : []),
    '', '## Limits', '',
    'Judged on the rows above only. Slices without rows say nothing about the model there.', '',
  ].join('\n');
}

function targetLine(target: Target): string {
  return target.task === 'regression' ? `- Target: the number \`${target.name}\`` : `- Classes: ${target.classes.join(', ')}`;
}

function figuresOf(report: QualityReport): string[] {
  if (isRegression(report)) return ['| figure | value | 95% interval |', '|---|---|---|', ...headlines(report).map(({ metric, value }) => `| ${metric} | ${figureText({ metric, value })} | ${intervalText(report, metric)} |`)];
  return ['| class | precision | recall | F1 | rows |', '|---|---|---|---|---|', ...report.perClass.map((row) => `| ${row.class} | ${percent(row.precision)} | ${percent(row.recall)} | ${percent(row.f1)} | ${row.support} |`)];
}

function intervalText(report: QualityReport, metric: AnyMetric): string {
  const { interval } = measure(report, metric);
  return interval ? interval.map((value) => metricText(metric, value)).join(' to ') : '';
}
