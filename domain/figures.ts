import type { EvaluationReport } from '../contract/evaluation.js';

/** Every single figure of a report by its name: those over all test rows, then `<slice>/<figure>`. */
export function figuresOf({ overall, slices }: Pick<EvaluationReport, 'overall' | 'slices'>): Map<string, number | null> {
  const figures = new Map<string, number | null>();
  const add = (prefix: string, report: object) => {
    for (const [name, value] of Object.entries(report) as [string, unknown][]) if (value === null || typeof value === 'number') figures.set(`${prefix}${name}`, value);
  };
  add('', overall);
  for (const { name, report } of slices) add(`${name}/`, report);
  return figures;
}
