import type { ExpectationResult } from '../../../contract/snapshot.js';
import { durationMs } from '../../../definition/common.js';
import { isRowwise } from '../../../definition/expectations.js';
import type { Expectation, RowExpectation } from '../../../definition/expectations.js';
import { inWords } from '../../../domain/expectations/words.js';
import { duckMessage } from '../duckdb.js';
import type { Duck } from '../duckdb.js';
import { NAMED_ROWS } from '../findings.js';
import { aggregateSql } from './aggregates.js';
import type { AggregateExpectation } from './aggregates.js';
import { distanceOf } from './distribution.js';
import type { DistributionExpectation } from './distribution.js';
import { columnIn } from './relation.js';
import type { Relation } from './relation.js';
import { rowRule } from './row-rules.js';
import type { ForeignKeys, RowRule } from './row-rules.js';

/** An expectation with the places of its figures in the one row that the scan gives. */
type Compiled =
  | { readonly expectation: RowExpectation; readonly rule: RowRule; readonly judged: string; readonly missed: string }
  | { readonly expectation: AggregateExpectation; readonly figure: string }
  | { readonly expectation: DistributionExpectation };

/**
 * Judges all expectations with one scan of the rows, and one for each distribution; only for those that are missed are the rows looked at again, to name up to
 * 20 of them. Over no value, an expectation on values holds and one on a statistic does not.
 * @param now milliseconds, for `fresh`
 */
export async function evaluateExpectations({ duck, relation, expectations, foreign = new Map(), now }: {
  duck: Pick<Duck, 'rows'>; relation: Relation; expectations: readonly Expectation[]; foreign?: ForeignKeys; now: number;
}): Promise<ExpectationResult[]> {
  if (expectations.length === 0) return [];
  const refused = await refusedPatterns(duck, expectations);
  const { sql, compiled } = compile(expectations.filter((expectation) => !refused.has(expectation)), relation, foreign);
  const [figures = {}] = sql === null ? [] : await duck.rows<Record<string, number | bigint | null>>(sql);
  const figure = (name: string) => { const value = figures[name]; return value === null || value === undefined ? null : Number(value); };
  const results: ExpectationResult[] = [...refused].map(([expectation, why]) => ({ ...aboutOf(expectation), passed: false, observed: why, missed: null, rows: [] }));
  for (const one of compiled) {
    const { expectation } = one;
    const about = aboutOf(expectation);
    if ('rule' in one) {
      const judged = figure(one.judged) ?? 0;
      const missed = figure(one.missed) ?? 0;
      const passed = missed === 0 || missed <= (1 - one.expectation.mostly) * judged + 1e-9;
      results.push({ ...about, passed, observed: judged === 0 ? null : 1 - missed / judged, missed, rows: passed ? [] : await nameRows(duck, relation, one.rule.missed, one.rule.shown) });
    } else if (one.expectation.kind === 'distribution') {
      const observed = await distanceOf(duck, relation, one.expectation, foreign.get(one.expectation));
      results.push({ ...about, passed: typeof observed === 'number' && observed <= one.expectation.within, observed, missed: null, rows: [] });
    } else if ('figure' in one) {
      const observed = figure(one.figure);
      const passed = holds(one.expectation, observed, now);
      const rows = one.expectation.kind === 'unique' && !passed ? await nameRepeated(duck, relation, one.expectation.columns) : [];
      results.push({ ...about, passed, observed: shown(one.expectation, observed), missed: one.expectation.kind === 'unique' ? observed : null, rows });
    }
  }
  return results;
}

const aboutOf = (expectation: Expectation) => ({ kind: expectation.kind, expectation: inWords(expectation), severity: expectation.severity });

/** Patterns that JavaScript takes and RE2 does not; one of them would fail the whole scan. */
async function refusedPatterns(duck: Pick<Duck, 'rows'>, expectations: readonly Expectation[]): Promise<Map<Expectation, string>> {
  const refused = new Map<Expectation, string>();
  for (const expectation of expectations) {
    if (!('pattern' in expectation)) continue;
    await duck.rows('select regexp_matches(\'\', $1)', [expectation.pattern]).catch((error: unknown) => { refused.set(expectation, duckMessage(error)); });
  }
  return refused;
}

function compile(expectations: readonly Expectation[], relation: Relation, foreign: ForeignKeys): { sql: string | null; compiled: Compiled[] } {
  const names = new Map<string, string>();
  // Many expectations ask for the same figure, such as how many values a column has.
  const take = (aggregate: string) => {
    const name = names.get(aggregate) ?? `f${names.size}`;
    names.set(aggregate, name);
    return name;
  };
  const compiled = expectations.map((expectation): Compiled => {
    if (expectation.kind === 'distribution') return { expectation };
    if (!isRowwise(expectation)) return { expectation, figure: take(aggregateSql(expectation, relation)) };
    const rule = rowRule(expectation, relation, foreign);
    return { expectation, rule, judged: take(counted(rule.judged)), missed: take(counted(rule.missed)) };
  });
  return { sql: names.size === 0 ? null : `select ${[...names].map(([aggregate, name]) => `${aggregate} as ${name}`).join(', ')} from ${relation.from}`, compiled };
}

/** A condition inside of an aggregate costs half of what `filter` does, and nothing where a file's own statistics answer it. */
function counted(condition: string): string {
  const present = /^(.+) is not null$/.exec(condition);
  if (condition === 'true') return 'count(*)';
  return present && !condition.includes(' and ') ? `count(${present[1] ?? ''})` : `count(case when ${condition} then 1 end)`;
}

function holds(expectation: AggregateExpectation, observed: number | null, now: number): boolean {
  if (observed === null) return false;
  switch (expectation.kind) {
    case 'unique': return observed === 0;
    case 'fresh': return now - observed <= durationMs(expectation.within);
    default: return observed >= (expectation.min ?? -Infinity) && observed <= (expectation.max ?? Infinity);
  }
}

function shown({ kind }: AggregateExpectation, observed: number | null): number | string | null {
  return kind === 'fresh' && observed !== null ? new Date(observed).toISOString() : observed;
}

async function nameRows(duck: Pick<Duck, 'rows'>, { from, rowName }: Relation, where: string, value: string): Promise<string[]> {
  const rows = await duck.rows<{ name: string; value: string | null }>(`select ${rowName} as name, left((${value})::varchar, 60) as value from ${from} where ${where} order by 1 limit ${NAMED_ROWS}`);
  return rows.map(({ name, value: found }) => (found === null ? name : `${name}: ${found}`));
}

async function nameRepeated(duck: Pick<Duck, 'rows'>, relation: Relation, names: readonly string[]): Promise<string[]> {
  const columns = names.map((name) => columnIn(relation, name).sql);
  const values = `row(${columns.join(', ')})`;
  const repeated = `select ${values} from ${relation.from} where ${columns.map((sql) => `${sql} is not null`).join(' and ')} group by ${columns.join(', ')} having count(*) > 1 order by 1 limit ${NAMED_ROWS}`;
  return nameRows(duck, relation, `${values} in (${repeated})`, `array_to_string([${columns.map((sql) => `${sql}::varchar`).join(', ')}], ', ')`);
}
