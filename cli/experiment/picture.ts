import type { ExperimentView, Standing } from '../../contract/experiment.js';
import { escapeMarkup } from '../../domain/markup.js';
import { ticks } from '../../domain/ticks.js';
import { px, svgDocument, widthOf } from '../svg.js';
import { parametersText } from './text.js';

const MARGIN = 24;
const ROW = 22;
const WIDTH = 520;
const SHOWN = 40;

/** Combinations, best first: each fold a dot, their mean a mark with one standard deviation to either side. Which differences are more than chance is seen at a glance. */
export function experimentPicture({ experiment, trials, standings, best }: ExperimentView): string {
  const metric = experiment.metric ?? '';
  const shown = standings.filter(({ mean }) => mean !== null).slice(0, SHOWN);
  const rows = shown.map((standing) => ({ standing, name: parametersText(experiment, standing.parameters), folds: trials.flatMap(({ combination, status, figures }) => (combination === standing.combination && status === 'done' ? figures[metric] ?? [] : [])) }));
  const title = `${experiment.model} at ${experiment.commit.slice(0, 12)}: ${metric}${experiment.plan.folds === null ? '' : ` over ${experiment.plan.folds} folds`}`;
  const top = MARGIN + 30;
  const left = MARGIN + Math.max(widthOf('as defined'), ...rows.map(({ name }) => widthOf(name))) + 12;
  const height = Math.max(1, rows.length) * ROW;
  const values = rows.flatMap(({ folds, standing: { mean, deviation } }) => [...folds, ...(mean === null ? [] : [mean - (deviation ?? 0), mean + (deviation ?? 0)])]);
  const scale = ticks(Math.min(...values), Math.max(...values), 6);
  const x = (value: number) => left + ((value - scale.from) / (scale.to - scale.from)) * WIDTH;
  return svgDocument({
    title, width: Math.max(left + WIDTH, MARGIN + widthOf(title)) + MARGIN + 20, height: top + height + 40,
    styles: '.grid{stroke:#8885;fill:none}.fold{fill:#0072b2;fill-opacity:.45}.mean{stroke:#0072b2;stroke-width:2;fill:none}.best{stroke:#d55e00}.right{text-anchor:end}.middle{text-anchor:middle}', dark: '',
    body: [
      `<text x="${MARGIN}" y="${MARGIN}">${escapeMarkup(title)}</text>`,
      ...(values.length === 0 ? [`<text class="quiet" x="${MARGIN}" y="${px(top + 12)}">no training has a result</text>`] : [
        ...scale.at.map((value) => `<path class="grid" d="M${px(x(value))} ${px(top)}v${height}"/><text class="quiet middle" x="${px(x(value))}" y="${px(top + height + 16)}">${scale.text(value)}</text>`),
        ...rows.map(({ standing, name, folds }, row) => rowOf({ standing, name, folds, best: standing.combination === best }, { left, y: top + (row + 0.5) * ROW, x })),
      ]),
    ],
  });
}

function rowOf({ standing: { mean, deviation }, name, folds, best }: { standing: Standing; name: string; folds: readonly number[]; best: boolean }, { left, y, x }: { left: number; y: number; x: (value: number) => number }): string {
  const dots = folds.map((value) => `<circle class="fold" cx="${px(x(value))}" cy="${px(y)}" r="3.5"><title>${value}</title></circle>`).join('');
  const spread = mean === null || deviation === null ? '' : `M${px(x(mean - deviation))} ${px(y)}H${px(x(mean + deviation))}`;
  const mark = mean === null ? '' : `<path class="mean${best ? ' best' : ''}" d="${spread}M${px(x(mean))} ${px(y - 7)}v14"><title>${escapeMarkup(name)}: ${mean}</title></path>`;
  return `<text class="right" x="${px(left - 8)}" y="${px(y + 4)}">${escapeMarkup(name)}</text>${dots}${mark}`;
}
