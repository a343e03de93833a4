import type { CompressionReport, VariantReport } from '../../contract/compression.js';
import { bytesText, millisecondsText, variantColumns, variantRows } from '../../domain/compression.js';
import { allowanceText } from '../../domain/loss-text.js';
import { escapeMarkup as escape } from '../../domain/markup.js';
import { metricText } from '../../domain/metrics.js';
import { ticks } from '../../domain/ticks.js';
import { table } from '../html.js';

const [WIDTH, HEIGHT, LINE] = [400, 190, 12];
/** To the right the names stand, one below another: variants are often as fast as each other. */
const MARGIN = { left: 50, right: 110, top: 10, bottom: 36 } as const;

/** Which variant was taken, and why, in a line. */
export const compressionLine = ({ because }: CompressionReport): string => `Variants: ${because}`;

/** The variants as a table, and what each costs as two plots. */
export function compressionHtml(report: CompressionReport): string {
  const { chosen, because, metric, allowed } = report;
  return `<h2>Variants of the network</h2>
<p>${escape(because)}.</p>
${table(variantColumns(report), variantRows(report), ([name]) => (name?.endsWith('(chosen)') ? 'pass' : ''))}
<p>Allowed to be lost: ${escape(allowanceText(metric, allowed))}. Sizes are those of the files as they are stored; latencies those of the network alone, one thread, without HTTP.</p>
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
    return `<g><title>${escape(`${name}: ${metric} ${metricText(metric, y)}, ${text(x)}`)}</title><path d="M${px(left)} ${px(height(bounds[0]))}V${px(height(bounds[1]))}" stroke="currentColor"/><circle cx="${px(left)}" cy="${px(top)}" r="4.5" stroke="currentColor" fill="${name === chosen ? 'currentColor' : '#fff'}"/></g>`;
  });
  const column = WIDTH - MARGIN.right + 26;
  const names = spread(points.map(({ y }) => height(y))).map((y, index) => {
    const point = points[index];
    return point ? `<path d="M${px(at(point.x) + 5)} ${px(height(point.y))}L${column - 3} ${px(y)}" stroke="#8888" stroke-dasharray="2 2"/><text x="${column}" y="${px(y + 3)}">${escape(point.name)}</text>` : '';
  });
  return `<svg class="chart" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(`${metric} against ${label}`)}" font-size="10" fill="currentColor">${grid.join('')}${names.join('')}${dots.join('')}<text x="${px((MARGIN.left + WIDTH - MARGIN.right) / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${escape(label)}</text></svg>`;
}

/** Heights at which names stand: near those given, in their order, a line apart. */
function spread(heights: readonly number[]): number[] {
  const places = [...heights];
  let above = -Infinity;
  for (const index of [...heights.keys()].sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0))) {
    above = Math.max(heights[index] ?? 0, above + LINE);
    places[index] = above;
  }
  const over = Math.max(0, ...places.map((place) => place - (HEIGHT - MARGIN.bottom)));
  return places.map((place) => place - over);
}
