import type { FeatureReport } from '../../contract/importance.js';
import type { CellRow } from '../../domain/cells.js';
import { hash32 } from '../../domain/features/hash.js';
import { featureImportance } from '../../domain/importance.js';
import type { Outputs } from '../../domain/outputs.js';
import { redundantGroups } from '../../domain/redundancy.js';
import type { RowBatch } from '../data/evaluation-rows.js';
import type { LoadedModel } from '../load-model.js';
import { isPixels } from '../preprocess.js';

const REPEATS = 5;
const MOST_ROWS = 2_000;
const LEAST_ROWS = 100;
/** Predictions that all exchanges together may take. */
const PREDICTIONS = 1_000_000;
/** Steps that looking for redundant columns may take: pairs of columns times rows. */
const PAIRS_BY_ROWS = 20_000_000;
/** Wider tables have too many pairs to look at. */
const MOST_COLUMNS_PAIRED = 500;

interface SampledRow { readonly key: string; readonly hash: number; readonly actual: number; readonly raw: CellRow }

/** The test rows on which importance is measured: up to 2,000 whose keys hash lowest, the same ones each time. */
export class ImportanceSample {
  #rows: SampledRow[] = [];
  readonly #most: number;

  constructor(private readonly model: LoadedModel, private readonly columns: readonly string[]) {
    this.#most = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(PREDICTIONS / (columns.length * REPEATS))));
  }

  offer({ keys, actual, raw }: RowBatch): void {
    if (isPixels(raw)) throw new TypeError('importance is measured of columns, not of pictures');
    keys.forEach((key, row) => { this.#rows.push({ key, hash: hash32(key), actual: actual[row] ?? NaN, raw: raw[row] ?? [] }); });
    if (this.#rows.length > 2 * this.#most) this.#cut();
  }

  /** Null where there are too few rows to say anything. */
  finish(predict: (rows: readonly CellRow[]) => Outputs): FeatureReport | null {
    this.#cut();
    const rows = this.#rows;
    if (rows.length < 2) return null;
    const { columns, model: { signature } } = this;
    const errorsOf = (raw: readonly CellRow[]): Float64Array => {
      const outputs = predict(raw);
      if (signature.task === 'regression') return Float64Array.from(rows, ({ actual }, row) => Math.abs((outputs[row] ?? NaN) - actual));
      const width = signature.classes.length;
      return Float64Array.from(rows, ({ actual }, row) => {
        const own = outputs.subarray(row * width, (row + 1) * width);
        return own.indexOf(Math.max(...own)) === actual ? 0 : 1;
      });
    };
    const paired = rows.slice(0, Math.max(LEAST_ROWS, Math.floor(PAIRS_BY_ROWS / columns.length ** 2)));
    const redundant = columns.length > MOST_COLUMNS_PAIRED ? [] : redundantGroups(columns.map((_, place) => paired.map(({ raw }) => raw[place] ?? null)));
    return featureImportance({ metric: signature.task === 'regression' ? 'mae' : 'accuracy', columns, rows: rows.map(({ raw }) => raw), errorsOf, redundant, repeats: REPEATS, seed: 1 });
  }

  #cut(): void {
    this.#rows = this.#rows.sort((a, b) => a.hash - b.hash || (a.key < b.key ? -1 : 1)).slice(0, this.#most);
  }
}
