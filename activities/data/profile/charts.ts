import { escapeMarkup } from '../../../domain/markup.js';

const [WIDTH, HEIGHT, FOOT] = [320, 110, 16];

/** A histogram as SVG: `bins` side by side, the least and the largest value written below. `label` says it to those who do not see it. */
export function histogram(bins: readonly { readonly share: number; readonly title: string }[], { from, to, label }: { from: string; to: string; label: string }): string {
  const most = Math.max(...bins.map(({ share }) => share), Number.MIN_VALUE);
  const width = WIDTH / bins.length;
  const bars = bins.map(({ share, title }, index) => {
    const height = share === 0 ? 0 : Math.max(1, (share / most) * (HEIGHT - FOOT));
    return `<rect x="${(index * width).toFixed(2)}" y="${(HEIGHT - FOOT - height).toFixed(2)}" width="${Math.max(1, width - 1).toFixed(2)}" height="${height.toFixed(2)}"><title>${escapeMarkup(title)}</title></rect>`;
  });
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeMarkup(label)}">${bars.join('')}<text x="0" y="${HEIGHT - 3}">${escapeMarkup(from)}</text><text x="${WIDTH}" y="${HEIGHT - 3}" text-anchor="end">${escapeMarkup(to)}</text></svg>`;
}

/** Named shares as a table whose last cell is a bar: readable without the bars. */
export function shareBars(caption: string, head: readonly [string, string], rows: readonly { readonly name: string; readonly value: string; readonly share: number }[]): string {
  const most = Math.max(...rows.map(({ share }) => share), Number.MIN_VALUE);
  const lines = rows.map(({ name, value, share }) => `<tr><th scope="row">${escapeMarkup(name)}</th><td class="number">${escapeMarkup(value)}</td><td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${((share / most) * 100).toFixed(2)}" height="10"/></svg></td></tr>`);
  return `<table><caption>${escapeMarkup(caption)}</caption><thead><tr><th scope="col">${escapeMarkup(head[0])}</th><th scope="col" class="number">${escapeMarkup(head[1])}</th><td></td></tr></thead><tbody>${lines.join('')}</tbody></table>`;
}

/** Correlations as a table whose cells are coloured by their value, -1 to 1, and hold it. */
export function heatMap(columns: readonly string[], values: readonly (readonly (number | null)[])[]): string {
  const cell = (value: number | null) => {
    if (value === null) return '<td class="heat">–</td>';
    const strength = Math.round(Math.abs(value) * 100);
    return `<td class="heat" style="background:color-mix(in srgb, var(${value < 0 ? '--negative' : '--positive'}) ${strength}%, transparent)">${value.toFixed(2)}</td>`;
  };
  const rows = columns.map((name, row) => `<tr><th scope="row">${escapeMarkup(name)}</th>${columns.map((_, column) => cell(values[row]?.[column] ?? null)).join('')}</tr>`);
  return `<div class="wide" tabindex="0" role="region" aria-label="Correlations of pairs of columns"><table class="matrix"><thead><tr><td></td>${columns.map((name) => `<th scope="col"><span>${escapeMarkup(name)}</span></th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
