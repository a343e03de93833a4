import type { EvaluationReport } from '../../contract/evaluation.js';
import type { ModelDefinition } from '../../definition/model.js';
import { percent } from '../html.js';

/** The model card: for whom, on what data, how good and where not. The same inputs give the same text. */
export function modelCard({ definition, commit, snapshot, evaluation }: { definition: ModelDefinition; commit: string; snapshot: string; evaluation: EvaluationReport }): string {
  const { name, purpose, owner, training, data } = definition;
  return [
    `# ${name}`, '', purpose, '',
    `- Owner: ${owner.name} <${owner.email}>`,
    `- Commit: \`${commit}\``, `- Snapshot: \`${snapshot}\``,
    `- Classes: ${data.target.classes.join(', ')}`,
    `- Training: ${training.epochs} epochs, batch ${training.batchSize}, ${training.optimizer.kind} at ${training.optimizer.learningRate}, seed ${training.seed}`,
    '', '## On unseen data', '',
    `Accuracy ${percent(evaluation.overall.accuracy)} on ${evaluation.overall.n} rows.`, '',
    '| class | precision | recall | F1 | rows |', '|---|---|---|---|---|',
    ...evaluation.overall.perClass.map((row) => `| ${row.class} | ${percent(row.precision)} | ${percent(row.recall)} | ${percent(row.f1)} | ${row.support} |`),
    ...(evaluation.slices.length > 0 ? ['', '| slice | accuracy | rows |', '|---|---|---|', ...evaluation.slices.map((slice) => `| ${slice.name} | ${percent(slice.report.accuracy)} | ${slice.report.n} |`)] : []),
    '', '## Limits', '',
    'Judged on the rows above only. Slices without rows say nothing about the model there.', '',
  ].join('\n');
}
