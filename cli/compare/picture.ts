import type { ComparedFact, ComparedSubject, Comparison } from '../../contract/comparison.js';
import { escapeMarkup } from '../../domain/markup.js';
import { px, svgDocument, widthOf } from '../svg.js';
import { ticks } from '../../domain/ticks.js';

/** Okabe and Ito's colours, which people who see fewer colours tell apart too; each subject has a sign of its own besides. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d00', '#777777'] as const;
const SIGNS = ['M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0', 'M-5-5H5V5H-5z', 'M0-6 6 5H-6z', 'M0-6 6 0 0 6-6 0z', 'M-6-5H6L0 6z', 'M-5-2H5V2H-5z', 'M-2-6H2V6H-2z', 'M-5-5 5 5M5-5-5 5'] as const;

const MARGIN = 24;
const ROW = 22;
const PLOT = { width: 420, height: 260 } as const;

/** Metrics between 0 and 1 as dots on one scale, and the loss of each epoch: training rows dashed, validation rows solid. */
export function comparisonPicture({ subjects, metrics, sameTestRows }: Comparison): string {
  const shares = metrics.filter(({ values }) => values.some((value) => typeof value === 'number') && values.every((value) => value === null || (typeof value === 'number' && value >= 0 && value <= 1)));
  const legend = subjects.map(({ name, status }, index) => `${sign(index, MARGIN + 6, MARGIN + index * ROW)}<text x="${MARGIN + 20}" y="${MARGIN + 4 + index * ROW}">${escapeMarkup(name)} <tspan class="quiet">${escapeMarkup(status)}</tspan></text>`);
  const top = MARGIN + subjects.length * ROW + 20;
  const label = Math.max(60, ...shares.map(({ name }) => widthOf(name))) + 12;
  const dots = dotPlot(shares, MARGIN + label, top);
  const right = MARGIN + label + PLOT.width + 90;
  const curves = learningCurves(subjects, right, top);
  const note = sameTestRows === false ? [`<text class="quiet" x="${MARGIN}" y="${px(top + 40 + shares.length * ROW)}">judged on different test rows: not to be held against each other</text>`] : [];
  return svgDocument({
    title: `Comparison of ${subjects.map(({ name }) => name).join(', ')}`, width: right + PLOT.width + MARGIN, height: Math.max(top + 60 + shares.length * ROW, top + PLOT.height + 60),
    styles: `.grid{stroke:#8885;fill:none}.curve{fill:none;stroke-width:2}.training{stroke-dasharray:4 4;stroke-width:1.2}.right{text-anchor:end}.middle{text-anchor:middle}${COLOURS.map((colour, index) => `.s${index}{stroke:${colour}}path.sign.s${index}{fill:${colour}}`).join('')}`,
    dark: '', body: [...legend, ...dots, ...curves, ...note],
  });
}

function dotPlot(facts: readonly ComparedFact[], left: number, top: number): string[] {
  const values = facts.flatMap((fact) => fact.values.filter((value) => typeof value === 'number'));
  if (values.length === 0) return [];
  const scale = ticks(Math.min(...values), 1, 5);
  const at = (value: number) => left + ((value - scale.from) / (scale.to - scale.from)) * PLOT.width;
  const height = facts.length * ROW;
  return [
    ...scale.at.map((value) => `<path class="grid" d="M${px(at(value))} ${px(top)}v${height}"/><text class="quiet middle" x="${px(at(value))}" y="${px(top + height + 16)}">${scale.text(value)}</text>`),
    ...facts.map(({ name, values: all }, row) => {
      const y = top + (row + 0.5) * ROW;
      const signs = all.map((value, index) => (typeof value === 'number' ? sign(index, at(value), y, `${name}: ${value}`) : ''));
      return `<text class="right" x="${px(left - 8)}" y="${px(y + 4)}">${escapeMarkup(name)}</text><path class="grid" d="M${px(left)} ${px(y)}h${PLOT.width}"/>${signs.join('')}`;
    }),
  ];
}

function learningCurves(subjects: readonly ComparedSubject[], left: number, top: number): string[] {
  const losses = subjects.flatMap((subject) => subject.losses);
  if (losses.length === 0) return [];
  const all = losses.flatMap(({ training, validation }) => [training, ...(validation === null ? [] : [validation])]);
  const scale = ticks(Math.min(...all), Math.max(...all), 5);
  const epochs = Math.max(...losses.map(({ epoch }) => epoch));
  const x = (epoch: number) => left + (epochs === 1 ? 0.5 : (epoch - 1) / (epochs - 1)) * PLOT.width;
  const y = (loss: number) => top + PLOT.height - ((loss - scale.from) / (scale.to - scale.from)) * PLOT.height;
  const line = (points: readonly { epoch: number; loss: number }[], of: string) => (points.length > 0 ? `<path class="curve ${of}" d="${points.map(({ epoch, loss }, index) => `${index === 0 ? 'M' : 'L'}${px(x(epoch))} ${px(y(loss))}`).join('')}"/>` : '');
  return [
    ...scale.at.map((value) => `<path class="grid" d="M${px(left)} ${px(y(value))}h${PLOT.width}"/><text class="quiet right" x="${px(left - 8)}" y="${px(y(value) + 4)}">${scale.text(value)}</text>`),
    `<text class="quiet" x="${px(left)}" y="${px(top + PLOT.height + 16)}">loss, epochs 1 to ${epochs}: training dashed, validation solid</text>`,
    ...subjects.flatMap((subject, index) => {
      const validation = subject.losses.flatMap(({ epoch, validation: loss }) => (loss === null ? [] : [{ epoch, loss }]));
      const last = validation.at(-1) ?? subject.losses.map(({ epoch, training: loss }) => ({ epoch, loss })).at(-1);
      return [
        line(subject.losses.map(({ epoch, training: loss }) => ({ epoch, loss })), `training s${index}`), line(validation, `s${index}`),
        last ? sign(index, x(last.epoch), y(last.loss), `${subject.name}: ${last.loss}`) : '',
      ];
    }),
  ];
}

function sign(index: number, x: number, y: number, title = ''): string {
  return `<path class="sign s${index}" d="${SIGNS[index] ?? SIGNS[0]}" transform="translate(${px(x)} ${px(y)})">${title === '' ? '' : `<title>${escapeMarkup(title)}</title>`}</path>`;
}
