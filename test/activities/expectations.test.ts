import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuck } from '../../activities/data/duckdb.js';
import type { Duck } from '../../activities/data/duckdb.js';
import { evaluateExpectations } from '../../activities/data/expectations/evaluate.js';
import type { Relation, RelationColumn } from '../../activities/data/expectations/relation.js';
import { expect as expects } from '../../definition/index.js';
import { Expectation, misfits } from '../../definition/expectations.js';
import type { ExpectationInput } from '../../definition/expectations.js';
import type { ModelDefinition } from '../../definition/model.js';
import { policyDigest, trainingDigest } from '../../runtime/definition/digests.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('an expectation', () => {
  let folder: string;
  let duck: Duck;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-expectations-'));
    duck = await openDuck(folder);
    // 100 rows; row 7 has the bad values, row 9 none.
    await duck.run(`create table staged as select 'row-' || lpad(i::varchar, 3, '0') as key,
      case i when 7 then 500.5 when 9 then null else i::double end as age, case i when 7 then 'x1' when 9 then null else 'AB-' || i end as code,
      case i when 9 then null else i % 2 = 0 end as member, timestamp '2026-02-01 00:00:00' + interval (i) hour as seen,
      i * 2.0::double as net, 1.0::double as tax, i * 2.0 + case i when 7 then 5 else 1 end::double as gross, i % 10 as ten
      from range(100) r(i)`);
    await duck.run(`create table list as select i::double as value from range(99) r(i)`);
  });
  afterAll(async () => {
    duck.close();
    await rm(folder, { recursive: true });
  });

  const relation: Relation = {
    from: 'staged', rowName: 'key',
    columns: new Map<string, RelationColumn>([
      ...['age', 'net', 'tax', 'gross', 'ten'].map((name) => [name, { type: 'number', sql: name }] as const), ...['key', 'code'].map((name) => [name, { type: 'text', sql: name }] as const),
      ['member', { type: 'boolean', sql: 'member' }], ['seen', { type: 'time', sql: 'seen' }],
    ]),
  };
  const judge = async (input: ExpectationInput) => {
    const expectation = Expectation.parse(input);
    const [result] = await evaluateExpectations({ duck, relation, expectations: [expectation], foreign: new Map([[expectation, 'list']]), now: NOW });
    return result;
  };

  it.each<[ExpectationInput, string]>([
    [expects.notNull('age'), 'row-009'],
    [expects.between('age', { min: 0, max: 99 }), 'row-007: 500.5'],
    [expects.between('age', { min: 0, strict: true }), 'row-000: 0.0'],
    [expects.between('seen', { max: '2026-02-05T02:00:00Z' }), 'row-099: 2026-02-05 03:00:00'],
    [expects.type('age', 'integer'), 'row-007: 500.5'],
    [expects.type('code', 'number', { mostly: 0 }), ''],
    [expects.inSet('ten', [0, 1, 2, 3, 4, 5, 6, 7, 8]), 'row-009: 9'],
    [expects.inSet('member', [true, false]), ''],
    [expects.notInSet('code', ['AB-3']), 'row-003: AB-3'],
    [expects.matches('code', /^[A-Z]{2}-\d+$/), 'row-007: x1'],
    [expects.notMatches('code', '^x'), 'row-007: x1'],
    [expects.length('code', { min: 3 }), 'row-007: x1'],
    [expects.compare('gross', '>', 'net'), ''],
    [expects.compare('net', '<=', 'age'), 'row-001: net 2.0, age 1.0'],
    [expects.sumOf(['net', 'tax'], 'gross'), 'row-007: sum 15.0, gross 19.0'],
    [expects.sumOf(['net', 'tax'], 1, { operator: '>=' }), ''],
    [expects.existsIn('age', { location: 'lists', path: 'ages.parquet', other: 'id' }), 'row-007: 500.5'],
    [expects.unique('key'), ''],
    [expects.unique(['ten', 'member']), 'row-000: 0, true'],
    [expects.unique(['ten', 'seen']), ''],
  ])('of rows names those that miss it: %j', async (input, row) => {
    const result = await judge(input);
    expect(result?.rows[0] ?? '').toBe(row);
    expect(result?.passed).toBe(row === '');
  });

  it('takes up to its share of rows that miss it', async () => {
    expect(await judge(expects.notNull('age', { mostly: 0.99 }))).toMatchObject({ passed: true, observed: 0.99, missed: 1, rows: [] });
    expect(await judge(expects.notNull('age', { mostly: 0.995 }))).toMatchObject({ passed: false });
    // 98 of the 99 values are small.
    expect(await judge(expects.between('age', { max: 99, mostly: 98 / 99 }))).toMatchObject({ passed: true, observed: 98 / 99 });
  });

  it('names twenty rows at most, and counts all', async () => {
    expect(await judge(expects.between('net', { max: 9 }))).toMatchObject({ passed: false, missed: 95, rows: { length: 20 } });
  });

  it.each<[ExpectationInput, number | string, boolean]>([
    [expects.rowCount({ min: 100, max: 100 }), 100, true],
    [expects.rowCount({ min: 101 }), 100, false],
    [expects.mean('net', { min: 98, max: 100 }), 99, true],
    [expects.mean('net', { max: 98 }), 99, false],
    [expects.sum('tax', { min: 100, max: 100 }), 100, true],
    [expects.minimum('net', { min: 1 }), 0, false],
    [expects.maximum('net', { max: 198 }), 198, true],
    [expects.median('net', { min: 99, max: 99 }), 99, true],
    [expects.quantile('net', 0.25, { min: 49.5, max: 49.5 }), 49.5, true],
    [expects.distinct('ten', { min: 10, max: 10 }), 10, true],
    [expects.distinctShare('ten', { min: 0.2 }), 0.1, false],
    [expects.missingShare('age', { max: 0.005 }), 0.01, false],
    [expects.fresh('seen', '25d'), '2026-02-05T03:00:00.000Z', true],
    [expects.fresh('seen', '24d'), '2026-02-05T03:00:00.000Z', false],
  ])('of a statistic tells what it found: %j', async (input, observed, passed) => {
    expect(await judge(input)).toMatchObject({ observed, passed });
  });

  it('judges all with one scan, and looks again only for what is missed', async () => {
    const statements: string[] = [];
    const counting = { rows: (sql: string, values?: never) => { statements.push(sql); return duck.rows(sql, values); } } as Pick<Duck, 'rows'>;
    const expectations = [expects.notNull('net'), expects.mean('net', { min: 0 }), expects.unique('key'), expects.between('age', { max: 99 })].map((one) => Expectation.parse(one));
    const results = await evaluateExpectations({ duck: counting, relation, expectations, now: NOW });
    expect(results.map(({ passed }) => passed)).toEqual([true, true, true, false]);
    expect(statements).toHaveLength(2);
  });

  it('over no value holds where it is about values, and does not where it is about a statistic', async () => {
    const empty = { ...relation, from: '(select * from staged limit 0)' };
    const expectations = [expects.between('net', { max: 0 }), expects.mean('net', { max: 1e9 })].map((one) => Expectation.parse(one));
    expect((await evaluateExpectations({ duck, relation: empty, expectations, now: NOW })).map(({ passed }) => passed)).toEqual([true, false]);
  });

  it('says which patterns cannot be judged, and judges the rest', async () => {
    const bad: Expectation = { kind: 'matches', column: 'code', pattern: '(?<year>x){2000}', mostly: 1, severity: 'block' };
    const [first, second] = await evaluateExpectations({ duck, relation, expectations: [bad, Expectation.parse(expects.notNull('net'))], now: NOW });
    expect(first).toMatchObject({ kind: 'matches', passed: false });
    expect(first?.observed).toMatch(/invalid/);
    expect(second).toMatchObject({ passed: true });
  });
});

describe('a snapshot with expectations', () => {
  let stack: DataStack;
  beforeAll(async () => { stack = await createDataStack(); });
  afterAll(() => stack.close());

  const table = (location: string, expectations: ExpectationInput[]): Extract<Data, { kind: 'table' }> => ({
    kind: 'table', columns: ['age', 'shop'], target: { name: 'outcome', classes: ['no', 'yes'] }, expectations,
    sources: [{ kind: 'parquet', location, path: 'rows.parquet', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
  });
  async function place() {
    const located = await stack.locate();
    await query(`copy (select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, i::double as age, i % 5 as shop from range(200) r(i)) to '${join(located.root, 'rows.parquet')}' (format parquet)`);
    await query(`copy (select i::varchar as shop_id from range(4) r(i)) to '${join(located.root, 'shops.parquet')}' (format parquet)`);
    return located;
  }

  it('that block is not made, and the report names the rows', async () => {
    const { name } = await place();
    const { build, model } = await stack.define(table(name, [expects.between('age', { max: 197 }), expects.mean('age', { max: 50 }, { severity: 'warn' })]));
    const built = await build();
    expect(built).toMatchObject({ blocked: true, report: { findings: [
      { check: 'expectation', severity: 'block', count: 2, message: 'expected that age is at most 197; 2 rows miss it', rows: ['row-198 (rows.parquet row 198): 198.0', 'row-199 (rows.parquet row 199): 199.0'] },
      { check: 'expectation', severity: 'warn', message: 'expected that mean of age is at most 50; found 99.5' },
    ] } });
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
  });

  it('that warn, or are met, is made; the report keeps what was found of each', async () => {
    const { name } = await place();
    const { build } = await stack.define(table(name, [expects.between('age', { max: 197, severity: 'warn' }), expects.inSet('outcome', ['no', 'yes']), expects.unique('key')]));
    expect(await build()).toMatchObject({ blocked: false, rows: 200, report: { findings: [{ check: 'expectation', severity: 'warn' }], expectations: [{ passed: false, observed: 0.99 }, { passed: true, observed: 1 }, { passed: true, missed: 0 }] } });
  });

  it('judges texts, booleans and times as what they are', async () => {
    const located = await stack.locate();
    await query(`copy (select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, 1.0::double as n, case when i = 3 then 'X' else 'AB' || i end as code, i % 2 as member, timestamp '2026-01-01' + interval (i) hour as seen from range(100) r(i)) to '${join(located.root, 'rows.parquet')}' (format parquet)`);
    const data = table(located.name, [
      expects.matches('code', /^AB/, { severity: 'warn' }), expects.inSet('member', [true, false]), expects.between('seen', { min: '2026-01-01T01:00:00Z', severity: 'warn' }), expects.fresh('seen', '1h', { severity: 'warn' }),
    ]);
    const { build } = await stack.define({ ...data, columns: ['n', { name: 'code', type: 'text' }, { name: 'member', type: 'boolean' }, { name: 'seen', type: 'time' }] });
    const { blocked, report } = await build();
    expect(blocked).toBe(false);
    expect(report.expectations).toMatchObject([{ passed: false, missed: 1, rows: [expect.stringMatching(/: X$/)] }, { passed: true, observed: 1 }, { passed: false, missed: 1 }, { passed: false, observed: '2026-01-05T03:00:00.000Z' }]);
  });

  it('asks another source for its keys, and looks again although the rows are the same', async () => {
    const located = await place();
    const { build, model } = await stack.define(table(located.name, [expects.existsIn('shop', { location: located.name, path: 'shops.parquet', other: 'shop_id' })]));
    expect(await build()).toMatchObject({ blocked: true, report: { findings: [{ count: 40, rows: { length: 20 } }] } });
    await query(`copy (select i::varchar as shop_id from range(5) r(i)) to '${join(located.root, 'shops.parquet')}' (format parquet)`);
    const again = await stack.define(table(located.name, [expects.existsIn('shop', { location: located.name, path: 'shops.parquet', other: 'shop_id' })]), model);
    expect(await again.build()).toMatchObject({ blocked: false });
    const away = await stack.define(table(located.name, [expects.existsIn('shop', { location: located.name, path: 'nowhere.parquet', other: 'shop_id' })]), model);
    expect(await away.build()).toMatchObject({ blocked: true, report: { findings: [{ check: 'missing-source', severity: 'block' }] } });
  });
});

describe('a definition with an expectation that cannot be', () => {
  const types = new Map([['key', 'text'], ['age', 'number'], ['code', 'text'], ['seen', 'time']] as const);
  it.each<[ExpectationInput, RegExp]>([
    [expects.notNull('agee'), /not agee/],
    [expects.mean('code', { min: 0 }), /a column of number; code holds text/],
    [expects.matches('age', 'x'), /a column of text; age holds number/],
    [expects.between('seen', { min: 3 }), /ISO 8601 times/],
    [expects.inSet('age', ['1']), /values of type number.*found "1"/],
    [expects.compare('age', '<', 'code'), /two columns of one type/],
  ])('is told what is wrong: %j', (input, problem) => {
    expect(misfits(Expectation.parse(input), types).join()).toMatch(problem);
  });
  it('refuses bounds that are none, patterns that RE2 does not know, and flags', () => {
    expect(Expectation.safeParse({ kind: 'between', column: 'age' }).success).toBe(false);
    expect(Expectation.safeParse({ kind: 'matches', column: 'code', pattern: '(?=x)' }).success).toBe(false);
    expect(() => expects.matches('code', /x/i)).toThrow(/no flags/);
  });
  it('leaves the training digest when expectations change, and the policy digest does not stay', () => {
    const base = { schema: 1, name: 'm', data: { kind: 'table', sources: [] } } as unknown as ModelDefinition;
    const more = { ...base, data: { ...base.data, expectations: [Expectation.parse(expects.notNull('age'))] } } as ModelDefinition;
    expect(trainingDigest(more, null)).toBe(trainingDigest(base, null));
    expect(policyDigest(more)).not.toBe(policyDigest(base));
  });
});
