import { Prng } from '../prng.js';
import type { Slices } from './slices.js';

export interface ShapleyOptions {
  readonly columns: number;
  /** Orders that are drawn; each is followed by its reverse. */
  readonly orders: number;
  readonly output: number;
  readonly baselineOutput: number;
  /** The outputs of rows that have some of their own values (1) and the baseline's for the others. */
  readonly outputsOf: (own: readonly Uint8Array[]) => ArrayLike<number>;
}

/**
 * Shapley values of a row's columns: by how much the output changes when a column takes its own value, on average over orders in which columns do (J. Castro,
 * D. Gómez, J. Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009; in pairs of opposite orders, which halves the variance or more:
 * R. Mitchell et al., "Sampling Permutations for Shapley Value Estimation", JMLR 2022, section 2). In each order the changes sum to `f(x) - f(b)`, so they do on average.
 * Orders come from a fixed seed: the same row gets the same values.
 */
export function* shapleyValues({ columns, orders, output, baselineOutput, outputsOf }: ShapleyOptions): Slices<Float64Array> {
  const sums = new Float64Array(columns);
  const states = statesOf(columns, orders);
  let previous = baselineOutput;
  let points = yield 0;
  for (let isOver = false; !isOver;) {
    const batch: State[] = [];
    while (batch.length < points) {
      const { value, done = false } = states.next();
      if (done || !value) {
        isOver = true;
        break;
      }
      batch.push(value);
    }
    const between = batch.filter(({ isLast }) => !isLast);
    const outputs = between.length > 0 ? outputsOf(between.map(({ own }) => own)) : [];
    let at = 0;
    for (const { column, isLast } of batch) {
      const now = isLast ? output : outputs[at++] ?? NaN;
      sums[column] = (sums[column] ?? 0) + now - previous;
      previous = isLast ? baselineOutput : now;
    }
    points = yield between.length;
  }
  return sums.map((sum) => sum / orders);
}

/** The row after `column` took its own value; the last one of an order is the row itself. */
interface State { readonly column: number; readonly own: Uint8Array; readonly isLast: boolean }

function* statesOf(columns: number, orders: number): Generator<State, void, undefined> {
  const random = Prng.of('shapley', columns);
  let order: Uint32Array = new Uint32Array();
  for (let turn = 0; turn < orders; turn += 1) {
    order = turn % 2 === 0 ? random.permutation(columns) : order.toReversed();
    const own = new Uint8Array(columns);
    for (const [place, column] of order.entries()) {
      own[column] = 1;
      yield { column, own: own.slice(), isLast: place === columns - 1 };
    }
  }
}
