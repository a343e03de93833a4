import type { FeatureReport } from '../../contract/importance.js';
import { ERROR_NAMES, growthCells, growthText } from '../../domain/importance.js';
import { table } from '../html.js';

const NAMED = 5;
const SHOWN = 20;

/** The columns that matter most, in a line. */
export function hangsOn({ metric, columns }: FeatureReport): string {
  const named = columns.filter(({ interval: [low] }) => low > 0).slice(0, NAMED);
  return `Its answers hang on: ${named.map(({ name, importance }) => `${name} (${growthText(metric, importance)})`).join(', ') || 'no single column that could be told from chance'}`;
}

/** What the error grows by when the values of a column, or of columns that say the same, are exchanged among the rows. */
export function featuresHtml({ metric, rows, columns, redundant }: FeatureReport): string {
  return `<h2>What the answers hang on</h2>
<p>Growth of the ${ERROR_NAMES[metric]} on ${rows} test rows when a column's values are exchanged among them.</p>
${table(['column', 'adds', '95% interval'], columns.slice(0, SHOWN).map((column) => [column.name, ...growthCells(metric, column)]))}
${columns.length > SHOWN ? `<p>${columns.length - SHOWN} more columns add less.</p>` : ''}
${redundant.length > 0 ? `<p>These say nearly the same, and hide each other's part:</p>${table(['columns', 'together add', '95% interval'], redundant.map((group) => [group.columns.join(', '), ...growthCells(metric, group)]))}` : ''}`;
}
