import type { SnapshotManifest } from '../../contract/snapshot.js';
import { timeShares } from '../../definition/splits.js';
import type { TimeShares } from '../../definition/splits.js';
import { digestOf } from '../../domain/digest.js';
import type { Duck } from './duckdb.js';
import type { ListedSource } from './listing.js';
import { boundedSplit } from './split-sql.js';
import type { Boundaries } from './split-sql.js';

/** Boundaries of one rule, and whether an earlier snapshot fixed them. */
export type FixedBoundaries = NonNullable<SnapshotManifest['boundaries']>[number] & { readonly fixed: boolean };

/** Where the boundaries of earlier snapshots are looked up, by {@link ruleDigest}. */
export type LookUpBoundaries = (rule: string) => Promise<Boundaries | null>;

/** What boundaries belong to: a definition that changes the column or a share asks for new ones. */
export function ruleDigest({ column, train, validation, test }: TimeShares): string {
  return digestOf({ byTime: { column, train, validation, test } });
}

/**
 * The boundaries of every rule that gives shares of a time: those of the first snapshot, or, where there was none, the times behind which
 * the shares of these rows lie. All sources of a rule count together, and only rows for which `good` (SQL) holds.
 */
export async function decideBoundaries(duck: Duck, listed: readonly ListedSource[], good: string, lookUp: LookUpBoundaries): Promise<FixedBoundaries[]> {
  const rules = new Map<string, { shares: TimeShares; sources: number[] }>();
  listed.forEach(({ source: { split } }, index) => {
    const shares = timeShares(split);
    if (!shares) return;
    const rule = ruleDigest(shares);
    const known = rules.get(rule) ?? { shares, sources: [] };
    known.sources.push(index);
    rules.set(rule, known);
  });
  const decided: FixedBoundaries[] = [];
  for (const [rule, { shares, sources }] of rules) {
    const known = await lookUp(rule);
    decided.push({ rule, column: shares.column, sources, ...(known ?? await boundariesOf(duck, shares, `${good} and source in (${sources.join(', ')})`)), fixed: known !== null });
  }
  return decided;
}

/** The split of staged rows, as SQL: what {@link splitSql} left as a time is divided. Null where nothing was left. */
export function resolvedSplit(boundaries: readonly FixedBoundaries[]): string | null {
  if (boundaries.length === 0) return null;
  return `case ${boundaries.map((one) => `when source in (${one.sources.join(', ')}) then ${boundedSplit('split', one)} `).join('')}else split end`;
}

async function boundariesOf(duck: Duck, { validation, test }: TimeShares, where: string): Promise<Boundaries> {
  const [found] = await duck.rows<{ n: bigint; first: bigint | null; last: bigint | null }>(`select count(*) as n, min(${MS}) as first, max(${MS}) as last from staged where ${where}`);
  const rows = Number(found?.n ?? 0);
  const behind = async (share: number) => {
    // Without its rounding error, 0.3 of ten rows would begin a row too late.
    const place = Math.ceil(rows * (1 - share) - 1e-9);
    return share === 0 || place >= rows ? null : new Date(await timeAt(duck, place, { first: Number(found?.first), last: Number(found?.last), where })).toISOString();
  };
  const testFrom = await behind(test);
  const validationFrom = validation === 0 ? null : await behind(validation + test);
  return { validationFrom, testFrom };
}

const MS = 'epoch_ms(split::timestamp)';
/** Counts that one pass over the rows gives. */
const STEPS = 4096;

/** The time of the row that has `place` rows before it in the order of time: counted in ever smaller steps, so that memory does not grow with the rows. */
async function timeAt(duck: Duck, place: number, { first, last, where }: { first: number; last: number; where: string }): Promise<number> {
  let [low, high, before] = [first, last, 0];
  while (low < high) {
    const width = Math.ceil((high - low + 1) / STEPS);
    const counts = await duck.rows<{ step: bigint; n: bigint }>(`select (${MS} - ${low}) // ${width} as step, count(*) as n from staged where ${where} and ${MS} between ${low} and ${high} group by 1 order by 1`);
    for (const { step, n } of counts) {
      if (before + Number(n) <= place) { before += Number(n); continue; }
      low += Number(step) * width;
      high = Math.min(high, low + width - 1);
      break;
    }
  }
  return low;
}
