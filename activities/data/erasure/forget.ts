import { erasureHash } from '../../../domain/erasure.js';
import type { Duck } from '../duckdb.js';
import { literal } from '../duckdb.js';
import type { Findings } from '../findings.js';

/** Rows of a model that are to be erased, by the salted hash of their key; null where there are none. */
export type Erased = { readonly salt: string; readonly hashes: readonly string[] } | null;

const MESSAGE = 'rows whose erasure was asked for';

/** Removes erased rows from those that were read, before anything looks at them: no report names one. */
export async function forgetRows(duck: Duck, erased: Erased, findings: Findings): Promise<void> {
  if (!erased) return;
  await duck.run('create table erased (hash varchar)');
  const appender = await duck.connection.createAppender('erased');
  for (const hash of erased.hashes) {
    appender.appendVarchar(hash);
    appender.endRow();
  }
  appender.closeSync();
  const rows = await duck.change(`delete from staged where key is not null and ${erasedSql(erased.salt)} in (select hash from erased)`);
  if (rows > 0) findings.add('erased', 'drop', MESSAGE, undefined, rows);
}

/** The same for rows that are in memory. */
export function withoutErased<T extends { readonly key: string }>(rows: readonly T[], erased: Erased, findings: Findings): readonly T[] {
  if (!erased) return rows;
  const hashes = new Set(erased.hashes);
  const kept = rows.filter(({ key }) => !hashes.has(erasureHash(erased.salt, key)));
  if (kept.length < rows.length) findings.add('erased', 'drop', MESSAGE, undefined, rows.length - kept.length);
  return kept;
}

/** `erasureHash` of domain/, as SQL over `key`. */
export function erasedSql(salt: string): string {
  return `sha256(${literal(salt)} || chr(10) || key)`;
}
