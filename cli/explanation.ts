import type { KeptExplanation } from '../contract/explanation.js';
import { figure, table } from './table.js';

/** Columns that are shown, those that say most. */
const SHOWN = 20;

/** What spoke for an answer: the columns, those that say most first; of a picture the sums over a grid, where there is one. */
export function explanationText({ method, baseline, target, output, baselineOutput, gap, shape, attributions, summary }: KeptExplanation): string {
  const figures = output === null ? '' : `: ${figure(output, 4)} instead of ${figure(baselineOutput, 4)}, of which ${figure(gap, 4)} is not accounted for`;
  const head = `explained by ${method} against ${baseline}${target === null ? '' : `, the class ${target}`}${figures}`;
  if (summary) return [head, `a map of ${shape.join(' × ')}, kept as sums over ${summary.shape.join(' × ')}:`, ...linesOf(summary)].join('\n');
  if (attributions === null) return `${head}; the log does not keep the attributions`;
  if (typeof attributions === 'string') return `${head}; a map of ${shape.join(' × ')}, in --json`;
  const columns = Object.entries(attributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, SHOWN);
  return [head, table(['COLUMN', 'ADDS'], columns.map(([name, value]) => [name, signed(value)]))].join('\n');
}

function linesOf({ shape: [, width = 1], sums }: NonNullable<KeptExplanation['summary']>): string[] {
  return Array.from({ length: Math.ceil(sums.length / width) }, (_, line) => sums.slice(line * width, (line + 1) * width).map((value) => signed(value).padStart(8)).join(' '));
}

const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toPrecision(3)}`;
