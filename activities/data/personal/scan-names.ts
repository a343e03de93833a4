import type { Duck } from '../duckdb.js';
import { createNameCounter } from './names/counter.js';
import type { NameCounter } from './names/counter.js';
import { decideNames } from './names/decide.js';

/** So many different texts of a column are looked at, and of each so much. */
const TEXTS = 500;
const CHARACTERS = 1_000;
/** How many values a hash of DuckDB has. */
const HASHES = 2 ** 64;
/** How many texts are distinct is told to some percent: so many times as many as are needed are drawn. */
const DRAWN = 3;

export interface ColumnWithNames { readonly column: string; readonly kind: string; readonly found: number; readonly texts: number }

/** Which of these columns of `staged` hold names of people, judged by a sample of each. */
export async function* columnsWithNames(duck: Duck, columns: readonly { readonly name: string; readonly sql: string }[], signal: AbortSignal): AsyncGenerator<ColumnWithNames> {
  let counter: NameCounter | null = null;
  try {
    for (const { name, sql } of columns) {
      signal.throwIfAborted();
      const texts = (await sampleTexts(duck, sql)).filter((text) => /\p{L}{2}/u.test(text));
      if (texts.length === 0) continue;
      counter ??= createNameCounter();
      const counts = await counter.count(texts);
      const names = decideNames(counts);
      if (names) yield { column: name, ...names, texts: counts.texts };
    }
  } finally {
    await counter?.close();
  }
}

/** Of the different texts those whose hashes are the smallest: the same ones in whatever order the rows are. Few are held, however many and long there are. */
async function sampleTexts(duck: Duck, sql: string): Promise<string[]> {
  const [{ different } = { different: 0n }] = await duck.rows<{ different: bigint }>(`select approx_count_distinct(${sql}) as different from staged`);
  const needed = TEXTS * DRAWN;
  const drawn = Number(different) <= needed ? '' : `and hash(${sql}) <= ${BigInt(Math.floor(HASHES * (needed / Number(different))))}::ubigint`;
  const rows = await duck.rows<{ text: string }>(`select distinct left(${sql}, ${CHARACTERS}) as text from staged where ${sql} is not null and ${sql} <> '' ${drawn} order by hash(text), text limit ${TEXTS}`);
  return rows.map((row) => row.text);
}
