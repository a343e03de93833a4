import type { ExplainMethod } from '../../contract/explanation.js';
import type { TrainingProfile } from '../../contract/profile.js';
import type { Cell } from '../../domain/cells.js';
import { columnsOf, featureMapOf } from '../preprocess.js';
import type { TablePreprocessing } from '../preprocess.js';
import { baselineRow } from './baseline.js';
import { integratedGradients } from './integrated-gradients.js';
import { occlusion } from './occlusion.js';
import { DEFAULT_STEPS, MOST_NUMBERS, Unfit, type Explainable, type RowExplainer } from './row-explainer.js';
import { shapleyValues } from './shapley.js';
import { atMost } from './slices.js';

/** Rows that the Shapley values of one row may take. */
const MOST_ROWS = 65_536;
/** As many, unless the caller says how many orders. */
const USUAL_ROWS = 2_048;
const USUAL_ORDERS = 64;

/**
 * What each raw column of a row adds. Integrated gradients are of the network's tensor, after preprocessing, and summed by column; a number that is made of several
 * columns (a cross) counts for each of them in equal parts. The other methods put raw values in, so preprocessing is part of what they explain.
 */
export function createTableExplainer(fitted: TablePreprocessing, profile: TrainingProfile | null, { model: { preprocessor }, outputsFor, gradientsOf }: Explainable): RowExplainer {
  const columns = columnsOf(fitted).length;
  const { sources } = featureMapOf(fitted);
  const { width } = preprocessor;
  const most = Math.max(1, Math.floor(MOST_NUMBERS / width));

  const tensorsOf = (rows: readonly (readonly Cell[])[]): Float32Array => {
    const tensors = new Float32Array(rows.length * width);
    preprocessor.apply(rows, 0, rows.length, tensors, 0);
    return tensors;
  };

  function ordersOf(steps: number | null): number {
    const rows = Math.max(1, columns - 1);
    if (steps !== null && steps * rows > MOST_ROWS) throw new Unfit(`${steps} orders of ${columns} columns are ${steps * rows} rows to compute; ${MOST_ROWS} is the limit.`);
    return steps ?? Math.max(2, Math.min(USUAL_ORDERS, 2 * Math.floor(USUAL_ROWS / rows / 2)));
  }

  function stepsOf(method: ExplainMethod, steps: number | null): number | null {
    switch (method) {
      case 'integrated-gradients': return steps ?? DEFAULT_STEPS;
      case 'shapley': return ordersOf(steps);
      case 'occlusion': return null;
    }
  }

  return {
    shape: [columns],
    settle({ method, steps, baseline }, hasGradients) {
      const settled = method ?? (hasGradients ? 'integrated-gradients' : 'shapley');
      if (settled === 'integrated-gradients' && !hasGradients) throw new Unfit('TensorFlow.js has no gradients of this network: explain by shapley or occlusion.');
      if (settled !== 'integrated-gradients' && baseline === 'zeros') throw new Unfit(`The baseline "zeros" is one of the network's tensor, which ${settled} does not look at.`);
      return { method: settled, steps: stepsOf(settled, steps), patch: null, baseline: baseline ?? 'median' };
    },
    *explain({ tensor, cells, target, output, method, steps, baseline }) {
      const neutral = baselineRow(fitted, profile, baseline);
      const from = baseline === 'zeros' ? new Float32Array(width) : tensorsOf([neutral]);
      const baselineOutput = outputsFor(target, from)[0] ?? NaN;
      const gradients = gradientsOf();
      switch (method) {
        case 'integrated-gradients': {
          if (!gradients) throw new Unfit('TensorFlow.js has no gradients of this network.');
          const found = yield* atMost(most, integratedGradients(gradients(target), tensor, from, steps ?? 1));
          return { attributions: byColumn(found), baselineOutput };
        }
        case 'occlusion': {
          const without = (column: number) => cells.map((cell, place) => (place === column ? neutral[place] ?? null : cell));
          const falls = yield* atMost(most, occlusion(columns, output, (first, count) => outputsFor(target, tensorsOf(Array.from({ length: count }, (_, at) => without(first + at))))));
          return { attributions: falls, baselineOutput };
        }
        case 'shapley': {
          const outputsOf = (own: readonly Uint8Array[]) => outputsFor(target, tensorsOf(own.map((isOwn) => cells.map((cell, place) => (isOwn[place] === 1 ? cell : neutral[place] ?? null)))));
          return { attributions: yield* atMost(most, shapleyValues({ columns, orders: steps ?? 2, output, baselineOutput, outputsOf })), baselineOutput };
        }
      }
    },
  };

  function byColumn(found: Float64Array): Float64Array {
    const sums = new Float64Array(columns);
    found.forEach((value, index) => {
      const places = sources[index] ?? [];
      for (const place of places) sums[place] = (sums[place] ?? 0) + value / places.length;
    });
    return sums;
  }
}
