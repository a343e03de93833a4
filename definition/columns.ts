import { z } from 'zod';
import { Label } from './common.js';

/**
 * What a column holds. `number`: a finite number. `text`: any text, the empty one too. `boolean`. `time`: an instant, written
 * `2026-01-31T08:00:00.000Z`; a date alone is its midnight in UTC.
 */
export const ColumnType = z.enum(['number', 'text', 'boolean', 'time']);
export type ColumnType = z.infer<typeof ColumnType>;

/** An input column of a table; a name alone is a number that is always there. */
export const Column = z.union([Label, z.strictObject({ name: Label, type: ColumnType, nullable: z.boolean().default(false) })]);
export type Column = z.infer<typeof Column>;

/** A column with everything said. */
export interface TypedColumn { readonly name: string; readonly type: ColumnType; readonly nullable: boolean }

export function typedColumn(column: Column): TypedColumn {
  return typeof column === 'string' ? { name: column, type: 'number', nullable: false } : column;
}

export function typedColumns(columns: readonly Column[]): TypedColumn[] {
  return columns.map(typedColumn);
}

/** The shortest form that says the same: equal columns are written alike, and as before columns had types. */
export function shortColumn(column: Column): Column {
  const { name, type, nullable } = typedColumn(column);
  return type === 'number' && !nullable ? name : { name, type, nullable };
}

export function columnNames(columns: readonly Column[]): string[] {
  return columns.map((column) => typedColumn(column).name);
}
