import type { ColumnSummary, ProfileSummary } from '../../../contract/data-profile.js';
import { outlierText, shareText, shortNumber, valueText } from '../../../domain/profile/words.js';
import { escapeMarkup as escape } from '../../../domain/markup.js';
import { heatMap, histogram, shareBars } from './charts.js';

const STYLE = `:root{color-scheme:light dark;--text:#1c2430;--page:#fff;--line:#d8dee6;--soft:#f3f5f8;--bar:#2f6db3;--quiet:#5a6675;--positive:#2f8f5b;--negative:#c4602a}
@media(prefers-color-scheme:dark){:root{--text:#e4e9f0;--page:#14181e;--line:#323b47;--soft:#1d232b;--bar:#6ea8e8;--quiet:#9aa7b6;--positive:#3f9c6b;--negative:#c96a3a}}
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:var(--text);background:var(--page)}
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:left;font-weight:normal}thead th{color:var(--quiet)}caption{text-align:left;color:var(--quiet)}
.number{text-align:right;font-variant-numeric:tabular-nums}.bar{width:14rem}.bar svg{width:100%;height:.7rem}svg rect{fill:var(--bar)}svg text{fill:var(--quiet);font-size:11px}.chart{width:20rem;max-width:100%}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(21rem,1fr));gap:1rem}.column{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .9rem}.column h3{margin:.1rem 0}.quiet{color:var(--quiet);margin:.2rem 0}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .8rem;margin:.4rem 0}dt{color:var(--quiet)}dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wide{overflow-x:auto}.matrix th span{writing-mode:vertical-rl}.heat{text-align:right;font-size:12px;padding:.2rem .4rem}figure{display:inline-block;margin:.3rem;font-size:12px}figure img{image-rendering:pixelated;width:96px}`;

/** A profile as a page of its own: no script, nothing fetched, light and dark. */
export function profilePage(title: string, summary: ProfileSummary): string {
  const { rows, columns, target } = summary;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}: profile</title><style>${STYLE}</style></head>
<body><main><h1>${escape(title)}</h1>
<p>${rows} ${summary.kind === 'images' ? 'pictures' : 'rows'}, ${columns.length} columns${summary.image ? `; every picture ${summary.image.height}×${summary.image.width} with ${summary.image.channels} channels` : ''}; target <b>${escape(target.name)}</b>.</p>
${balance(summary)}${examples(summary)}${missing(columns)}${outliers(columns)}${associations(columns)}
${summary.correlations.columns.length > 1 ? `<h2>Correlations</h2><p class="quiet">Pearson's, over rows in which both values are there.</p>${heatMap(summary.correlations.columns, summary.correlations.values)}` : ''}
<h2>Columns</h2><div class="columns">${columns.map(card).join('')}</div></main></body></html>
`;
}

function balance({ target }: ProfileSummary): string {
  if (!target.classes) return '';
  return `<h2>Classes</h2>${shareBars('Rows of each class', ['class', 'rows'], target.classes.map(({ name, rows, share }) => ({ name, value: `${rows} (${shareText(share)})`, share })))}`;
}

function examples({ examples: pictures }: ProfileSummary): string {
  if (pictures.length === 0) return '';
  const figure = (picture: ProfileSummary['examples'][number]) => `<figure><img alt="an example of ${escape(picture.class)}" src="data:image/png;base64,${picture.png}"><figcaption>${escape(picture.class)}</figcaption></figure>`;
  return `<h2>Examples</h2><div>${pictures.map(figure).join('')}</div>`;
}

function missing(columns: readonly ColumnSummary[]): string {
  const some = columns.filter((column) => column.missing > 0).sort((a, b) => b.missingShare - a.missingShare);
  if (some.length === 0) return '<h2>Missing values</h2><p>None.</p>';
  return `<h2>Missing values</h2>${shareBars('Rows without a value', ['column', 'missing'], some.map(({ name, missing: n, missingShare }) => ({ name, value: `${n} (${shareText(missingShare)})`, share: missingShare })))}`;
}

function outliers(columns: readonly ColumnSummary[]): string {
  const some = columns.flatMap((column) => { const text = outlierText(column); return text === null ? [] : [{ column, text }]; });
  if (some.length === 0) return '';
  return `<h2>Outliers</h2><table><caption>Beyond Tukey's fences, 1.5 times the interquartile range from a quartile</caption><thead><tr><th scope="col">column</th><th scope="col">share of its values</th><th scope="col">least</th><th scope="col">largest</th></tr></thead><tbody>${some.map(({ column, text }) => `<tr><th scope="row">${escape(column.name)}</th><td>${escape(text)}</td><td class="number">${escape(valueText(column.type, column.numbers?.minimum))}</td><td class="number">${escape(valueText(column.type, column.numbers?.maximum))}</td></tr>`).join('')}</tbody></table>`;
}

function associations(columns: readonly ColumnSummary[]): string {
  const some = columns.flatMap(({ name, association }) => (association ? [{ name, value: `${association.value.toFixed(3)} (${association.measure})`, share: association.value }] : [])).sort((a, b) => b.share - a.share);
  return some.length === 0 ? '' : `<h2>Relation to the target</h2>${shareBars('0: none, 1: one follows from the other', ['column', 'strength'], some)}`;
}

function card(column: ColumnSummary): string {
  const { name, type, nullable, present, missing: n, missingShare, distinct, distinctExact, numbers, texts } = column;
  const figures: [string, string][] = [
    ['values', String(present)], ['missing', n === 0 ? '0' : `${n} (${shareText(missingShare)})`], ['distinct', `${distinctExact ? '' : 'about '}${distinct}`],
    ...(numbers ? numberFigures(column, numbers) : []),
    ...(texts ? [['length', `${texts.shortest ?? '–'} to ${texts.longest ?? '–'}, mean ${shortNumber(texts.meanLength)}`], ...(texts.empty > 0 ? [['empty', String(texts.empty)]] : [])] as [string, string][] : []),
  ];
  return `<section class="column"><h3>${escape(name)}</h3><p class="quiet">${type}${nullable ? ', may be missing' : ''}</p>${chart(column)}<dl>${figures.map(([term, value]) => `<dt>${escape(term)}</dt><dd>${escape(value)}</dd>`).join('')}</dl></section>`;
}

function numberFigures({ type }: ColumnSummary, numbers: NonNullable<ColumnSummary['numbers']>): [string, string][] {
  const shown = (value: number | null | undefined) => valueText(type, value);
  const at = (share: number) => numbers.quantiles.find((one) => one.at === share)?.value;
  return [
    ['range', `${shown(numbers.minimum)} to ${shown(numbers.maximum)}`],
    ...(type === 'time' ? [] : [['mean ± sd', `${shown(numbers.mean)} ± ${shown(numbers.standardDeviation)}`]] as [string, string][]),
    ['5% · median · 95%', `${shown(at(0.05))} · ${shown(at(0.5))} · ${shown(at(0.95))}`],
    ...(type === 'number' && numbers.zeros > 0 ? [['zeros', String(numbers.zeros)]] as [string, string][] : []),
  ];
}

function chart({ name, type, numbers, values }: ColumnSummary): string {
  const [least, last] = [numbers?.histogram[0], numbers?.histogram.at(-1)];
  if (least && last && numbers) {
    const [from, to] = [valueText(type, least.from), valueText(type, last.to)];
    return histogram(numbers.histogram.map((bin) => ({ share: bin.share, title: `${valueText(type, bin.from)} to ${valueText(type, bin.to)}: ${shareText(bin.share)}` })), { from, to, label: `Distribution of ${name}, from ${from} to ${to}` });
  }
  return values.length === 0 ? '' : shareBars('Most frequent', ['value', 'rows'], values.slice(0, 8).map(({ value, count, share }) => ({ name: value === '' ? '(empty)' : value, value: `${count} (${shareText(share)})`, share })));
}
