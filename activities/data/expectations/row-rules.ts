import type { Expectation, RowExpectation } from '../../../definition/expectations.js';
import { instantOfBound } from '../../../domain/cells.js';
import { identifier, literal } from '../duckdb.js';
import { columnIn } from './relation.js';
import type { Relation, RelationColumn } from './relation.js';

/** Two conditions in SQL: the rows that are judged, and those of them that miss the expectation (never null). */
export interface RowRule { readonly judged: string; readonly missed: string; /** SQL of the value that reports show. */ readonly shown: string }

/** Other sources' columns, each as a table of this DuckDB with the columns `value`, of the column's type, once each, and `n`, how often it is there. */
export type ForeignKeys = ReadonlyMap<Expectation, string>;

export function rowRule(expectation: RowExpectation, relation: Relation, foreign: ForeignKeys): RowRule {
  if (expectation.kind === 'sum-of') return sumRule(expectation, relation);
  const column = columnIn(relation, expectation.column);
  const { sql } = column;
  const present = (held: string): RowRule => ({ judged: `${sql} is not null`, missed: `(${sql} is not null and not (${held}))`, shown: sql });
  const text = asText(column);
  switch (expectation.kind) {
    case 'not-null': return { judged: 'true', missed: `(${sql} is null)`, shown: sql };
    case 'type': return present(`coalesce(${readable(expectation.type, column)}, false)`);
    case 'between': {
      const or = expectation.strict ? '' : '=';
      const parts = [
        ...(expectation.min === undefined ? [] : [`${sql} >${or} ${valueSql(expectation.min, column)}`]),
        ...(expectation.max === undefined ? [] : [`${sql} <${or} ${valueSql(expectation.max, column)}`]),
      ];
      return present(parts.join(' and '));
    }
    case 'in-set': return present(`${sql} in (${expectation.values.map((value) => valueSql(value, column)).join(', ')})`);
    case 'not-in-set': return present(`${sql} not in (${expectation.values.map((value) => valueSql(value, column)).join(', ')})`);
    case 'matches': return present(`regexp_matches(${text}, ${literal(expectation.pattern)})`);
    case 'not-matches': return present(`not regexp_matches(${text}, ${literal(expectation.pattern)})`);
    case 'length': return present([...(expectation.min === undefined ? [] : [`length(${text}) >= ${expectation.min}`]), ...(expectation.max === undefined ? [] : [`length(${text}) <= ${expectation.max}`])].join(' and '));
    case 'compare': {
      const other = columnIn(relation, expectation.other);
      const judged = `${sql} is not null and ${other.sql} is not null`;
      return { judged: `(${judged})`, missed: `(${judged} and not (${sql} ${expectation.operator} ${other.sql}))`, shown: pairSql(expectation.column, sql, expectation.other, other.sql) };
    }
    case 'exists-in': return present(`${sql} in (select value from ${identifier(foreign.get(expectation) ?? '')})`);
  }
}

function sumRule({ columns, operator, to, tolerance }: Extract<Expectation, { kind: 'sum-of' }>, relation: Relation): RowRule {
  const parts = columns.map((name) => columnIn(relation, name).sql);
  const target = typeof to === 'number' ? numberSql(to) : columnIn(relation, to).sql;
  const sum = `(${parts.join(' + ')})`;
  const judged = `${sum} is not null and ${target} is not null`;
  const near = `abs(${sum} - ${target}) <= ${numberSql(tolerance)}`;
  const held = { '=': near, '!=': `not (${near})`, '<': `${sum} < ${target}`, '<=': `(${sum} <= ${target} or ${near})`, '>': `${sum} > ${target}`, '>=': `(${sum} >= ${target} or ${near})` }[operator];
  return { judged: `(${judged})`, missed: `(${judged} and not (${held}))`, shown: pairSql('sum', sum, typeof to === 'number' ? 'number' : to, target) };
}

const pairSql = (left: string, leftSql: string, right: string, rightSql: string) => `(${literal(`${left} `)} || ${leftSql}::varchar || ${literal(`, ${right} `)} || ${rightSql}::varchar)`;
const asText = ({ type, sql }: RelationColumn) => (type === 'text' ? sql : `${sql}::varchar`);

function readable(type: Extract<Expectation, { kind: 'type' }>['type'], { type: of, sql }: RelationColumn): string {
  switch (type) {
    case 'integer': return of === 'number' ? `${sql} = trunc(${sql})` : `try_cast(${sql}::varchar as hugeint) is not null and regexp_matches(${sql}::varchar, '^\\s*[+-]?\\d+\\s*$')`;
    case 'number': return of === 'number' ? 'true' : `try_cast(${sql}::varchar as double) is not null`;
    case 'boolean': return of === 'boolean' ? 'true' : `try_cast(${sql}::varchar as boolean) is not null`;
    case 'time': return of === 'time' ? 'true' : `try_cast(${sql}::varchar as timestamp) is not null`;
  }
}

/** A value of the definition in the column's own type. */
function valueSql(value: string | number | boolean, { type }: RelationColumn): string {
  switch (type) {
    case 'number': return typeof value === 'number' ? numberSql(value) : `try_cast(${literal(String(value))} as double)`;
    case 'text': return literal(String(value));
    case 'boolean': return `try_cast(${literal(String(value))} as boolean)`;
    // DuckDB would pass over an offset.
    case 'time': return `try_cast(${literal(instantOfBound(String(value)) ?? String(value))} as timestamp)`;
  }
}

/** Read as a text it is the same double; as a number DuckDB would take it for a decimal, and of 16 digits make another double of it. */
export function numberSql(value: number): string {
  return `'${value}'::double`;
}
