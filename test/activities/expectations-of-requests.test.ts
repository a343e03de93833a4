import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDuck, type Duck } from '../../activities/data/duckdb.js';
import { rowRule } from '../../activities/data/expectations/row-rules.js';
import { Expectation, isOfRequests, type ExpectationInput } from '../../definition/expectations.js';
import type { Cell } from '../../domain/cells.js';
import { rowCheck } from '../../domain/expectations/row-checks.js';
import { inWords } from '../../domain/expectations/words.js';

const COLUMNS = [
  { name: 'a', type: 'number' }, { name: 'b', type: 'number' }, { name: 'text', type: 'text' }, { name: 'other', type: 'text' },
  { name: 'open', type: 'boolean' }, { name: 'shut', type: 'boolean' }, { name: 'since', type: 'time' }, { name: 'until', type: 'time' },
] as const;
const TYPES = { number: 'double', text: 'varchar', boolean: 'boolean', time: 'timestamp' } as const;
const POOLS: Record<(typeof COLUMNS)[number]['type'], readonly Cell[]> = {
  number: [null, 0, -0, 1, -1, 0.1, 0.2, 0.30000000000000004, 2.5, 3, 1e15, 1e308, -1e308, 5e-324],
  text: [null, '', 'a', 'A', 'ab', '1010', '1010 Wien', 'Zürich', 'zu\u0308rich', '日本', '𝔸', '\uFFFD', '👩‍👩‍👧', 'line\nbreak', ' ', '1e5', 'ſ', 'K', 'é'],
  boolean: [null, true, false],
  time: [null, '1969-12-31T23:59:59.999Z', '2026-01-31T08:00:00.000Z', '2026-01-31T08:00:00.001Z', '2026-02-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
};

const ASKED: readonly ExpectationInput[] = [
  ...COLUMNS.map(({ name }) => ({ kind: 'not-null' as const, column: name })),
  { kind: 'type', column: 'a', type: 'integer' },
  { kind: 'between', column: 'a', min: 0, max: 1 }, { kind: 'between', column: 'a', min: 0, strict: true }, { kind: 'between', column: 'b', max: 0.3 },
  { kind: 'between', column: 'since', min: '2026-01-31T08:00:00Z' }, { kind: 'between', column: 'since', min: '2026-01-31', max: '2026-02-01T01:00:00+01:00', strict: true }, { kind: 'between', column: 'until', max: '2026-01-31 08:00:00' },
  { kind: 'in-set', column: 'a', values: [0, 1, 2.5] }, { kind: 'not-in-set', column: 'a', values: [0, 1e15] }, { kind: 'in-set', column: 'text', values: ['a', '', 'Zürich', '日本'] }, { kind: 'not-in-set', column: 'text', values: ['A', '𝔸'] },
  { kind: 'in-set', column: 'open', values: [true] }, { kind: 'not-in-set', column: 'open', values: [true] }, { kind: 'in-set', column: 'since', values: ['2026-01-31T08:00:00.000Z', '2026-02-01'] }, { kind: 'not-in-set', column: 'since', values: ['2026-02-01T00:00:00.000Z'] },
  ...['^\\d{4}$', 'ab?', '^$', '.', '\\s', '\\w+$', '\\bWien\\b', '[^\\x00-\\x7F]', '\\p{L}', '\\p{Greek}|\\pN', '^.{2}$', 'line.break', '(a|b)*$', 'a{1,3}', '^[a-zü]+$'].flatMap((pattern) => [
    { kind: 'matches' as const, column: 'text', pattern }, { kind: 'not-matches' as const, column: 'other', pattern },
  ]),
  { kind: 'length', column: 'text', min: 1 }, { kind: 'length', column: 'text', max: 1 }, { kind: 'length', column: 'other', min: 2, max: 5 },
  ...(['<', '<=', '=', '!=', '>=', '>'] as const).flatMap((operator) => [['a', 'b'], ['text', 'other'], ['open', 'shut'], ['since', 'until']].map(([column = '', other = '']) => ({ kind: 'compare' as const, column, operator, other }))),
  ...(['<', '<=', '=', '!=', '>=', '>'] as const).flatMap((operator) => [{ kind: 'sum-of' as const, columns: ['a', 'b'], operator, to: 0.3 }, { kind: 'sum-of' as const, columns: ['a', 'b'], operator, to: 'b' }, { kind: 'sum-of' as const, columns: ['b', 'a', 'a'], operator, to: 1, tolerance: 0.5 }]),
];

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-requests-'));
  duck = await openDuck(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

/** Rows with every value, and with every pair of those that are compared, in their order; then others, drawn with a fixed seed. */
function rows(): Cell[][] {
  let state = 20260131;
  const draw = (below: number) => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * below); };
  const anyOf = <T>(pool: readonly T[]): T => pool[draw(pool.length)] as T;
  const pairs = Object.values(POOLS).flatMap((pool) => pool.flatMap((left) => pool.map((right) => ({ pool, left, right }))));
  return [
    ...pairs.map(({ pool, left, right }) => COLUMNS.map(({ type }, place) => (POOLS[type] === pool ? (place % 2 === 0 ? left : right) : anyOf(POOLS[type])))),
    ...Array.from({ length: 500 }, () => COLUMNS.map(({ type }) => anyOf(POOLS[type]))),
  ];
}

test('a request\'s row misses an expectation exactly where DuckDB finds that a snapshot\'s row does', async () => {
  const all = rows();
  await duck.run(`create table requests (place integer, ${COLUMNS.map(({ name, type }) => `${name} ${TYPES[type]}`).join(', ')})`);
  for (const [place, row] of all.entries()) await duck.run(`insert into requests values (${place}, ${COLUMNS.map(({ type }, at) => `$${at + 1}::varchar::${TYPES[type]}`).join(', ')})`, row.map((cell) => (cell === null ? null : Object.is(cell, -0) ? '-0.0' : String(cell))));
  const relation = { from: 'requests', rowName: 'place::varchar', columns: new Map(COLUMNS.map(({ name, type }) => [name, { type, sql: name }])) };
  const types = new Map(COLUMNS.map(({ name, type }) => [name, type]));
  const differing: unknown[] = [];
  for (const asked of ASKED) {
    const expectation = Expectation.parse(asked);
    if (!isOfRequests(expectation, types)) throw new Error(`${inWords(expectation)} is of no request`);
    const missed = new Set((await duck.rows<{ place: number }>(`select place from requests where ${rowRule(expectation, relation, new Map()).missed}`)).map(({ place }) => place));
    const misses = rowCheck(expectation, COLUMNS);
    for (const [place, row] of all.entries()) if (misses(row) !== missed.has(place)) differing.push({ expected: inWords(expectation), row, missed: missed.has(place) });
  }
  expect(differing.map((one) => JSON.stringify(one))).toEqual([]);
});

test('a pattern over which others would sit for hours is matched at once', () => {
  const misses = rowCheck({ kind: 'matches', column: 'text', pattern: '^(a+)+$', mostly: 1, severity: 'block' }, [{ name: 'text', type: 'text' }]);
  expect(misses([`${'a'.repeat(50_000)}!`])).toBe(true);
  expect(misses(['aaa'])).toBe(false);
});
