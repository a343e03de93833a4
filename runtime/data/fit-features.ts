import type { DuckDBConnection } from '@duckdb/node-api';
import { PerennialError } from '../../contract/errors.js';
import type { FittedFeature } from '../../contract/features.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Preprocessing } from '../../contract/package.js';
import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import { featuresOf, ImputeNumber } from '../../definition/features.js';
import type { Feature } from '../../definition/features.js';
import type { NumberTarget } from '../../definition/target.js';
import { createFeatureMap } from '../../domain/features/apply.js';
import { DuckDBListValue } from './duckdb-library.js';
import { openTrainingRows, quoted } from './training-rows.js';

/**
 * Fits the features of a table on its training split: one query a figure, in one thread, over the rows in the order of the
 * snapshot, so that the same rows give the same figures to the last bit. `share` (0..1): of each shard, so many of its first rows.
 * `scale`: how the target of a regression is scaled.
 */
export async function fitFeatures(snapshot: LocalSnapshot, declared: readonly Feature[] | undefined, share: number, scale: NumberTarget['scale'] = 'standard'): Promise<Preprocessing> {
  const columns = typedColumns(snapshot.manifest.content.columns ?? []);
  const { connection, close } = await openTrainingRows(snapshot, share);
  try {
    const fit = new Fit(connection, columns);
    const features: FittedFeature[] = [];
    for (const feature of featuresOf(columns, declared)) features.push(...await fit.feature(feature));
    const { length: width } = createFeatureMap(columns.map(({ name }) => name), features).names;
    if (width === 0) throw new PerennialError('data/blocked', 'the features give the network no input: training saw no category often enough');
    if (width > MAXIMUM_WIDTH) throw new PerennialError('data/blocked', `the features give the network ${width} inputs, more than ${MAXIMUM_WIDTH}: lower \`maximum\` of categories, or \`buckets\``);
    return { kind: 'columns', columns, features, ...(snapshot.manifest.content.target.task === 'regression' ? { target: await fit.scaling(scale, FINITE_LABEL) } : {}) };
  } finally {
    close();
  }
}

/** What is no number is told with its row when the rows are packed; here it would only end the query. */
const FINITE_LABEL = '(case when isfinite(label) then label end)';

type Kind<K extends Feature['kind']> = Extract<Feature, { kind: K }>;
interface Scaling { readonly offset: number; readonly scale: number }

/** More inputs than this are refused: rows wait for training as so many numbers each. */
const MAXIMUM_WIDTH = 16_384;

class Fit {
  constructor(private readonly connection: DuckDBConnection, private readonly columns: readonly TypedColumn[]) {}

  async feature(feature: Feature): Promise<FittedFeature[]> {
    switch (feature.kind) {
      case 'number': return this.number(feature);
      case 'category': return this.category(feature);
      case 'bucket': return this.bucket(feature);
      case 'length': return [{ kind: 'length', column: feature.column, ...await this.scaling(feature.scale, `length(${quoted(feature.column)})::double`) }];
      case 'words': return [{ kind: 'words', column: feature.column, buckets: feature.buckets }];
      case 'time': return this.time(feature);
      case 'cross': return [{ kind: 'cross', of: feature.of.map(({ column, edges }) => ({ column, ...(edges ? { edges } : {}) })), buckets: feature.buckets }];
    }
  }

  private isNullable(column: string): boolean {
    return this.columns.find(({ name }) => name === column)?.nullable ?? false;
  }

  private async number({ column, impute = ImputeNumber.parse({}), scale }: Kind<'number'>): Promise<FittedFeature[]> {
    const value = `${quoted(column)}::double`;
    const isNullable = this.isNullable(column);
    return [{ kind: 'number', column, fill: isNullable ? await this.fill(impute, value) : 0, indicator: isNullable && impute.indicator, ...await this.scaling(scale, value) }];
  }

  private async fill(impute: ImputeNumber, value: string): Promise<number> {
    switch (impute.with) {
      case 'mean': return (await this.figures(value, 'favg(x)'))[0] ?? 0;
      case 'median': return (await this.quantiles(value, [0.5]))[0] ?? 0;
      // The smallest of those that are most frequent.
      case 'most-frequent': return (await this.figures(value, 'x', 'group by x order by count(*) desc, x limit 1'))[0] ?? 0;
      case 'constant': return impute.value ?? 0;
    }
  }

  private async category({ column, impute, unknown, minimumFrequency, maximum }: Kind<'category'>): Promise<FittedFeature[]> {
    const rows = await this.rows(`select ${quoted(column)} as value, count(*)::double as n from rows where value is not null group by 1 having n >= ${minimumFrequency} order by n desc, value limit ${maximum}`);
    const byFrequency = [...new Set(rows.map(([value]) => String(value)))];
    const isNullable = this.isNullable(column);
    const fill = !isNullable || !impute ? null : impute.value ?? byFrequency[0] ?? null;
    return [{ kind: 'category', column, categories: [...byFrequency].sort(), unknown, fill, missing: isNullable && (impute?.indicator ?? true) }];
  }

  private async bucket({ column, quantiles, edges }: Kind<'bucket'>): Promise<FittedFeature[]> {
    const cut = edges ?? (await this.quantiles(`${quoted(column)}::double`, Array.from({ length: (quantiles ?? 2) - 1 }, (_, index) => (index + 1) / (quantiles ?? 2))));
    return [{ kind: 'bucket', column, edges: [...new Set(cut)], missing: this.isNullable(column) }];
  }

  private async time({ column, parts, cyclic }: Kind<'time'>): Promise<FittedFeature[]> {
    const fitted: FittedFeature[] = [];
    for (const part of parts) {
      const goesOn = part === 'instant' ? 'epoch_ms(time) / 1000.0' : part === 'year' ? 'year(time)::double' : null;
      const figures = goesOn ? await this.scaling('standard', goesOn.replace('time', () => `${quoted(column)}::timestamp`)) : { offset: 0, scale: 1 };
      fitted.push({ kind: 'time', column, part, cyclic: cyclic && goesOn === null, ...figures });
    }
    return this.isNullable(column) ? [...fitted, { kind: 'missing', column }] : fitted;
  }

  /** Offset and scale, of the values that are there; a value that is the same in all training rows is only shifted. */
  async scaling(scale: Kind<'number'>['scale'], value: string): Promise<Scaling> {
    const by = (offset = 0, spread = 0): Scaling => ({ offset, scale: spread > 0 ? 1 / spread : 1 });
    switch (scale) {
      case 'standard': return by(...await this.figures(value, 'favg(x), stddev_pop(x)'));
      case 'min-max': {
        const [minimum = 0, maximum = 0] = await this.figures(value, 'min(x), max(x)');
        return by(minimum, maximum - minimum);
      }
      case 'robust': {
        const [low = 0, median = 0, high = 0] = await this.quantiles(value, [0.25, 0.5, 0.75]);
        return by(median, high - low);
      }
      case 'none': return by();
    }
  }

  /** Figures of the values `x` that are there; empty where none is. */
  private async figures(value: string, select: string, rest = ''): Promise<number[]> {
    const [row = []] = await this.rows(`select ${select} from (select ${value} as x from rows) where x is not null ${rest}`);
    return row.filter((figure) => typeof figure === 'number');
  }

  /** On the line between the two values next to each share. One list, so that the values are held once: 8 bytes a row. */
  private async quantiles(value: string, shares: readonly number[]): Promise<number[]> {
    const [[list] = []] = await this.rows(`select quantile_cont(x, [${shares.join(', ')}]) from (select ${value} as x from rows) where x is not null`);
    return list instanceof DuckDBListValue ? list.items.filter((value) => typeof value === 'number') : [];
  }

  private async rows(sql: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql)).getRows();
  }
}
