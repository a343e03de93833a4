import type { CompressionReport, VariantReport } from '../../contract/compression.js';
import { bytesText, millisecondsText, variantColumns, variantRows } from '../../domain/compression.js';
import { escapeMarkup as escape } from '../../domain/markup.js';
import { metricText } from '../../domain/metrics.js';
import { ticks } from '../../domain/ticks.js';
import { table } from '../html.js';

const [WIDTH, HEIGHT] = [300, 190];
const MARGIN = { left: 56, right: 14, top: 10, bottom: 36 } as const;

/** Which variant was taken, and why, in a line. */
export const compressionLine = ({ because }: CompressionReport): string => `Variants: ${because}`;

/** The variants as a table, and what each costs as two plots. */
export function compressionHtml(report: CompressionReport): string {
  const { chosen, because, metric, allowed } = report;
  return `<h2>Variants of the network</h2>
<p>${escape(because)}.</p>
${table(variantColumns(report), variantRows(report), ([name]) => (name?.endsWith('(chosen)') ? 'pass' : ''))}
<p>Allowed to be lost: ${escape(metric === 'accuracy' ? `${(allowed * 100).toFixed(1)} points of accuracy` : `${(allowed * 100).toFixed(1)}% of the mean absolute error`)}. Sizes are those of the files as they are stored; latencies those of the network alone, one thread, without HTTP.</p>
<div>${plot(report, { label: 'stored size', of: ({ bytes }) => bytes, text: bytesText })}${plot(report, { label: 'milliseconds for one row (median)', of: ({ latencyMs }) => latencyMs?.p50 ?? null, text: millisecondsText })}</div>
<p>${escape(chosen)} is filled; whiskers are 95% intervals.</p>`;
}

interface Axis { readonly label: string; readonly of: (variant: VariantReport) => number | null; readonly text: (value: number) => string }

/** The metric (upwards) against what a variant costs (to the right, from 0), a dot each with its name. */
function plot({ variants, metric, chosen }: CompressionReport, { label, of, text }: Axis): string {
  const points = variants.flatMap((variant) => { const [x, y] = [of(variant), variant.value]; return x === null || y === null ? [] : [{ ...variant, x, y, bounds: variant.interval ?? ([y, y] as const) }]; });
  if (points.length === 0) return '';
  const across = ticks(0, Math.max(...points.map(({ x }) => x)), 3);
  const up = ticks(Math.min(...points.map(({ bounds }) => bounds[0])), Math.max(...points.map(({ bounds }) => bounds[1])), 4);
  const at = (value: number) => MARGIN.left + ((value - across.from) / (across.to - across.from)) * (WIDTH - MARGIN.left - MARGIN.right);
  const height = (value: number) => HEIGHT - MARGIN.bottom - ((value - up.from) / (up.to - up.from)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const px = (value: number) => value.toFixed(1);
  const bottom = HEIGHT - MARGIN.bottom;
  const grid = [
    ...up.at.map((value) => `<path d="M${MARGIN.left} ${px(height(value))}H${WIDTH - MARGIN.right}" stroke="#8885"/><text x="${MARGIN.left - 5}" y="${px(height(value) + 3)}" text-anchor="end">${escape(metricText(metric, value))}</text>`),
    ...across.at.map((value) => `<path d="M${px(at(value))} ${MARGIN.top}V${bottom}" stroke="#8885"/><text x="${px(at(value))}" y="${bottom + 13}" text-anchor="middle">${escape(text(value))}</text>`),
  ];
  const dots = points.map(({ name, x, y, bounds }) => {
    const [left, top] = [at(x), height(y)];
    const isRight = left > WIDTH * 0.65;
    return `<g><title>${escape(`${name}: ${metric} ${metricText(metric, y)}, ${text(x)}`)}</title><path d="M${px(left)} ${px(height(bounds[0]))}V${px(height(bounds[1]))}" stroke="currentColor"/><circle cx="${px(left)}" cy="${px(top)}" r="4.5" stroke="currentColor" fill="${name === chosen ? 'currentColor' : '#fff'}"/><text x="${px(left + (isRight ? -8 : 8))}" y="${px(top - 5)}" text-anchor="${isRight ? 'end' : 'start'}">${escape(name)}</text></g>`;
  });
  return `<svg class="chart" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(`${metric} against ${label}`)}" font-size="10" fill="currentColor">${grid.join('')}${dots.join('')}<text x="${px((MARGIN.left + WIDTH - MARGIN.right) / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${escape(label)}</text></svg>`;
}
