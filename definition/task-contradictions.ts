import type { Compression } from './compression.js';
import type { Evaluation } from './evaluation.js';
import { METRICS_OF } from './evaluation.js';
import type { Monitoring } from './operation.js';
import { classesOf, taskOf } from './target.js';
import type { Target } from './target.js';
import type { Training } from './training.js';

export interface Contradiction { readonly path: readonly (string | number)[]; readonly expected: string }

interface Parts { readonly target: Target; readonly training: Training; readonly compression: Compression | undefined; readonly evaluation: Evaluation; readonly monitoring: Monitoring }

/** What a definition asks of a target that it does not have: a class of a number, an error of a class, a loss of the other task. */
export function taskContradictions({ target, training, compression, evaluation, monitoring }: Parts): Contradiction[] {
  const task = taskOf(target);
  const classes = classesOf(target);
  const found: Contradiction[] = [];
  const known: readonly string[] = METRICS_OF[task];
  const figureAt = (metric: string, path: Contradiction['path']) => {
    if (!known.includes(metric)) found.push({ path, expected: `a figure of a ${task} (${known.join(', ')})` });
  };
  const metricOf = (metric: string, path: Contradiction['path']) => { figureAt(metric, [...path, 'metric']); };
  const classOf = (name: string | undefined, path: Contradiction['path']) => {
    if (name === undefined) return;
    if (task === 'regression') found.push({ path: [...path, 'class'], expected: 'no class: a regression has none' });
    else if (!classes.includes(name)) found.push({ path: [...path, 'class'], expected: `a class of this definition (${classes.join(', ')})` });
  };
  if (task === 'classification' && training.loss) found.push({ path: ['training', 'loss'], expected: 'nothing: classes are trained with cross-entropy' });
  if (compression) figureAt(compression.allow.metric, ['compression', 'allow', 'metric']);
  evaluation.metrics?.forEach((metric, index) => { figureAt(metric, ['evaluation', 'metrics', index]); });
  evaluation.gates.forEach((gate, index) => {
    const path = ['evaluation', 'gates', index] as const;
    switch (gate.kind) {
      case 'at-least':
        metricOf(gate.metric, path);
        classOf(gate.class, path);
        return;
      case 'at-most':
        metricOf(gate.metric, path);
        return;
      case 'not-worse-than-live': {
        const compared = COMPARED_METRIC[task];
        if (gate.metric !== compared) found.push({ path: [...path, 'metric'], expected: `'${compared}', by which versions of a ${task} are compared` });
      }
    }
  });
  monitoring.thresholds.forEach((threshold, index) => {
    const path = ['monitoring', 'thresholds', index] as const;
    metricOf(threshold.metric, path);
    if ('class' in threshold) classOf(threshold.class, path);
  });
  return found;
}

/** The figure of `not-worse-than-live`. */
export const COMPARED_METRIC = { classification: 'accuracy', regression: 'mae' } as const;
