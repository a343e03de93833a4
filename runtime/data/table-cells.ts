import type { DuckDBDataChunk } from '@duckdb/node-api';
import { PerennialError } from '../../contract/errors.js';
import type { TypedColumn } from '../../definition/columns.js';
import { cellOf, describeColumn } from '../../domain/cells.js';
import type { Cell, CellRow } from '../../domain/cells.js';

/** The rows of a shard's chunk; the table's columns stand from column `first` on. A value of another type is `data/blocked`, and names row and column. */
export function cellsOf(chunk: DuckDBDataChunk, columns: readonly TypedColumn[], first: number, keyOf: (row: number) => string): CellRow[] {
  const vectors = columns.map((_, index) => chunk.getColumnVector(first + index));
  return Array.from({ length: chunk.rowCount }, (_, row) => columns.map((column, index): Cell => {
    const value: unknown = vectors[index]?.getItem(row) ?? null;
    const cell = column.type === 'time' && typeof value === 'string' ? value : cellOf(column, value);
    if (cell === undefined) throw new PerennialError('data/blocked', `row '${keyOf(row)}', column '${column.name}': expected ${describeColumn(column)}, found ${String(value)}`, { column: column.name });
    return cell;
  }));
}
