import type { ColumnType } from '../../../definition/columns.js';

export type RelationType = ColumnType;

/** `sql` gives null where a value is missing or could not be read; numbers are doubles, times timestamps in UTC. */
export interface RelationColumn { readonly type: RelationType; readonly sql: string }

/** Rows in DuckDB that expectations, profiles and comparisons look at. */
export interface Relation {
  /** What follows `from`: a table, or a call such as `read_parquet([…])`. */
  readonly from: string;
  /** SQL of a row's name in reports. */
  readonly rowName: string;
  readonly columns: ReadonlyMap<string, RelationColumn>;
}

/** @throws RangeError for a column that is not there: intake and the checks before have told so */
export function columnIn({ columns }: Relation, name: string): RelationColumn {
  const column = columns.get(name);
  if (!column) throw new RangeError(`there is no column ${name}; there are ${[...columns.keys()].join(', ')}`);
  return column;
}
