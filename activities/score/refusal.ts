import { PerennialError } from '../../contract/errors.js';
import type { Duck } from '../data/duckdb.js';

/** A refusal of a job's input: says which file, and what in it. Trying again cannot help. */
export function inputError(input: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown): PerennialError {
  return new PerennialError('score/input', `${input}: ${message}`, { input, ...details }, { cause });
}

const NAMED_ROWS = 20;

/** Refuses the table `input` for rows of which `where` holds. */
export async function refuseRows(duck: Duck, input: string, column: string, where: string, what: string): Promise<void> {
  const bad = await duck.rows<{ key: string; row: bigint }>(`select key, row from input where ${where} order by row limit ${NAMED_ROWS}`);
  const [first] = bad;
  if (first) throw inputError(input, `the column ${column} ${what} in row ${first.row} (${first.key})`, { column, rows: bad.map(({ row }) => Number(row)) });
}
