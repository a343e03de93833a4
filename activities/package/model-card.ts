import type { CompressionReport } from '../../contract/compression.js';
import { isRegression } from '../../contract/evaluation.js';
import type { EvaluationReport, QualityReport } from '../../contract/evaluation.js';
import type { RunReason } from '../../contract/run.js';
import type { AnyMetric } from '../../definition/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import type { Target } from '../../definition/target.js';
import { bytesText, FULL } from '../../domain/compression.js';
import { lossText } from '../../domain/loss-text.js';
import { measure } from '../../domain/measure.js';
import { metricText } from '../../domain/metrics.js';
import { figureText, headlines, headlineText } from '../../domain/quality.js';
import { percent } from '../html.js';
import { sliceTable } from '../quality.js';

/** The model card: for whom, on what data, how good and where not. The same inputs give the same text. */
export function modelCard({ definition, imported, compression, commit, snapshot, evaluation }: { definition: ModelDefinition; imported?: RunReason['imported']; compression?: CompressionReport | undefined; commit: string; snapshot: string; evaluation: EvaluationReport }): string {
  const { name, purpose, owner, training, data, evaluation: { metrics } } = definition;
  const slices = sliceTable(evaluation.slices, metrics);
  return [
    `# ${name}`, '', purpose, '',
    `- Owner: ${owner.name} <${owner.email}>`,
    `- Commit: \`${commit}\``, `- Snapshot: \`${snapshot}\``,
    targetLine(data.target),
    imported ? `- Imported: ${imported.format}, files \`${imported.files.sha256}\`; it was not trained here, and whether it was trained on rows that it is judged on is not known` : `- Training: ${training.epochs} epochs, batch ${training.batchSize}, ${training.optimizer.kind} at ${training.optimizer.learningRate}, seed ${training.seed}`,
    ...(compression ? [compressedLine(compression)] : []),
    '', '## On unseen data', '',
    `${headlineText(evaluation.overall, metrics)} on ${evaluation.overall.n} rows.`, '',
    ...figuresOf(evaluation.overall, metrics),
    ...(evaluation.slices.length > 0 ? ['', line([...slices.header, 'rows']), `|${'---|'.repeat(slices.header.length + 1)}`, ...slices.rows.map(line)] : []),
    '', '## Limits', '',
    'Judged on the rows above only. Slices without rows say nothing about the model there.', '',
  ].join('\n');
}

/** Without latencies, which differ from try to try. */
function compressedLine({ chosen, variants, metric }: CompressionReport): string {
  const own = variants.find(({ name }) => name === chosen);
  if (chosen === FULL || !own?.lost) return '- Compressed: no, the full network was taken';
  return `- Compressed: ${chosen} (${own.how}), ${bytesText(own.bytes ?? 0)} instead of ${bytesText(variants[0]?.bytes ?? 0)}; against the full network on the same rows: ${lossText(metric, own.lost.value)}`;
}

function targetLine(target: Target): string {
  return target.task === 'regression' ? `- Target: the number \`${target.name}\`` : `- Classes: ${target.classes.join(', ')}`;
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function figuresOf(report: QualityReport, chosen?: readonly AnyMetric[]): string[] {
  if (isRegression(report)) return ['| figure | value | 95% interval |', '|---|---|---|', ...headlines(report, chosen).map(({ metric, value }) => `| ${metric} | ${figureText({ metric, value })} | ${intervalText(report, metric)} |`)];
  return ['| class | precision | recall | F1 | rows |', '|---|---|---|---|---|', ...report.perClass.map((row) => `| ${row.class} | ${percent(row.precision)} | ${percent(row.recall)} | ${percent(row.f1)} | ${row.support} |`)];
}

function intervalText(report: QualityReport, metric: AnyMetric): string {
  const { interval } = measure(report, metric);
  return interval ? interval.map((value) => metricText(metric, value)).join(' to ') : '';
}
