import { typedColumns } from '../../definition/columns.js';
import type { TypedColumn } from '../../definition/columns.js';
import type { FeatureView } from '../../definition/feature-view.js';
import type { Cell } from '../../domain/cells.js';
import { storedValue } from '../data/column-sql.js';
import { identifier } from '../data/duckdb.js';

/** Names of a view's columns while its rows are worked on, whatever the view calls them. */
export const keyOf = (index: number) => `k${index}`;
export const valueOf = (index: number) => `v${index}`;

export const keyColumns = ({ entity }: Pick<FeatureView, 'entity'>): TypedColumn[] => entity.map(({ name, type }) => ({ name, type, nullable: false }));
export const valueColumns = ({ columns }: Pick<FeatureView, 'columns'>): TypedColumn[] => typedColumns(columns);

/** The key's columns, or `alias`'s, as a list of SQL. */
export function keysSql({ entity }: Pick<FeatureView, 'entity'>, alias = ''): string {
  return entity.map((_, index) => `${alias}${keyOf(index)}`).join(', ');
}

export function valuesSql({ columns }: Pick<FeatureView, 'columns'>, alias = ''): string {
  return columns.map((_, index) => `${alias}${valueOf(index)}`).join(', ');
}

/** Columns of the working form as a file of the feature store has them. */
export function storedColumns(view: FeatureView): string {
  const stored = (columns: readonly TypedColumn[], nameOf: (index: number) => string) => columns.map((column, index) => `${storedValue(column, nameOf(index))} as ${identifier(column.name)}`);
  return [...stored(keyColumns(view), keyOf), 'event_time, known_time, stated_time', ...stored(valueColumns(view), valueOf)].join(', ');
}

/** Columns of a file of the feature store in the working form: booleans are text again. */
export function workingColumns(view: FeatureView): string {
  const working = (columns: readonly TypedColumn[], nameOf: (index: number) => string) => columns.map(({ name, type }, index) => `${identifier(name)}${type === 'boolean' ? '::varchar' : ''} as ${nameOf(index)}`);
  return [...working(keyColumns(view), keyOf), 'event_time, known_time, stated_time', ...working(valueColumns(view), valueOf)].join(', ');
}

/** Values of the working form, in which booleans are text, as cells. */
export function cellsOf(columns: readonly Pick<TypedColumn, 'type'>[], values: readonly unknown[]): Cell[] {
  return columns.map(({ type }, index) => {
    const value = values[index] ?? null;
    return type === 'boolean' && value !== null ? value === 'true' : value as Cell;
  });
}
