import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuck, type Duck } from '../../activities/data/duckdb.js';
import { evaluateExpectations } from '../../activities/data/expectations/evaluate.js';
import type { Relation, RelationColumn } from '../../activities/data/expectations/relation.js';
import { expect as expects } from '../../definition/index.js';
import { Expectation, misfits, type ExpectationInput } from '../../definition/expectations.js';
import { nextBelow } from '../../domain/expectations/next-below.js';
import { createDataStack, query, type DataStack } from './support/data.js';

const golden = JSON.parse(await readFile(new URL('golden/distributions.json', import.meta.url), 'utf8')) as Record<'plain' | 'whole' | 'large' | 'bins' | 'texts', number>;
const FILE = { location: 'lists', path: 'values.parquet', other: 'value' };

describe('the distance of a distribution to a reference', () => {
  let folder: string;
  let duck: Duck;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-distribution-'));
    duck = await openDuck(folder);
    // As golden/distributions.py makes them; and rows without a value, which do not count.
    await duck.run(`create table staged as select plain, floor(plain / 20) as whole, case i * 31 % 97 % 5 when 0 then 'a' when 1 then 'b' when 2 then 'c' when 3 then 'd' when 4 then '' end as word,
      i % 4 = 0 as member, timestamp '2026-01-01 00:00:00' + to_milliseconds((plain * 86400000)::bigint) as seen
      from (select i, ((i * 37) % 1013)::double / 7 as plain from range(2000) r(i))`);
    await duck.run('insert into staged select null, null, null, null, null from range(50)');
    for (const [name, value] of [['plain', '((i * 53) % 977)::double / 6'], ['whole', 'floor(((i * 53) % 977)::double / 6 / 23)'], ['large', '(((i * 7919) % 20011)::double / 20011) * (((i * 7919) % 20011)::double / 20011) * 150']] as const) {
      await duck.run(`create table reference_${name} as select value, count(*) as n from (select ${value} as value from range(${name === 'large' ? 20_000 : 900}) r(i)) group by 1`);
    }
    await duck.run('create table reference_seen as select timestamp \'2026-01-01 00:00:00\' + to_milliseconds((value * 86400000)::bigint) as value, sum(n)::bigint as n from reference_plain group by 1');
    await duck.run('create table reference_words as select * from (values (\'a\', 5::bigint), (\'b\', 2), (\'e\', 3)) t(value, n)');
    await duck.run('create table reference_none (value double, n bigint)');
  });
  afterAll(async () => {
    duck.close();
    await rm(folder, { recursive: true });
  });

  const relation: Relation = {
    from: 'staged', rowName: '\'a row\'',
    columns: new Map<string, RelationColumn>([['plain', { type: 'number', sql: 'plain' }], ['whole', { type: 'number', sql: 'whole' }], ['word', { type: 'text', sql: 'word' }], ['member', { type: 'boolean', sql: 'member' }], ['seen', { type: 'time', sql: 'seen' }]]),
  };
  const judge = async (input: ExpectationInput, table = 'reference_none', of = relation) => {
    const expectation = Expectation.parse(input);
    const [result] = await evaluateExpectations({ duck, relation: of, expectations: [expectation], foreign: new Map([[expectation, table]]), now: 0 });
    return result;
  };
  const observed = async (input: ExpectationInput, table?: string) => Number((await judge(input, table))?.observed);

  it('is that of scipy: Kolmogorov-Smirnov of numbers and times, Jensen-Shannon of bins and texts', async () => {
    expect(await observed(expects.distribution('plain', FILE, 1), 'reference_plain')).toBeCloseTo(golden.plain, 12);
    expect(await observed(expects.distribution('whole', FILE, 1), 'reference_whole')).toBeCloseTo(golden.whole, 12);
    expect(await observed(expects.distribution('seen', FILE, 1), 'reference_seen')).toBeCloseTo(golden.plain, 2);
    expect(await observed(expects.distribution('plain', { edges: [10, 20, 50, 51, 120], shares: [0.25, 0.25, 0.01, 0.49] }, 1))).toBeCloseTo(golden.bins, 12);
    expect(await observed(expects.distribution('word', { shares: { a: 0.5, b: 0.2, e: 0.3 } }, 1))).toBeCloseTo(golden.texts, 12);
    expect(await observed(expects.distribution('word', FILE, 1), 'reference_words')).toBeCloseTo(golden.texts, 12);
  });

  it('is right to a thousandth where a reference has more values than it is looked at', async () => {
    const distance = await observed(expects.distribution('plain', FILE, 1), 'reference_large');
    expect(Math.abs(distance - golden.large)).toBeLessThanOrEqual(0.001);
  });

  it('decides, and is told', async () => {
    expect(await judge(expects.distribution('member', { shares: { true: 0.25, false: 0.75 } }, 0.01))).toMatchObject({ passed: true, expectation: 'the distribution of member is within 0.01 of the shares given', missed: null, rows: [] });
    expect(await judge(expects.distribution('member', { shares: { true: 0.3, false: 0.7 } }, 0.01, { severity: 'warn' }))).toMatchObject({ passed: false, severity: 'warn' });
    expect(await judge(expects.distribution('whole', FILE, golden.whole - 0.001), 'reference_whole')).toMatchObject({ passed: false, expectation: expect.stringContaining('that of value of lists/values.parquet') as string });
    expect(await judge(expects.distribution('whole', FILE, golden.whole + 0.001), 'reference_whole')).toMatchObject({ passed: true });
  });

  it('over no value, or to a reference without any, is none, and misses', async () => {
    expect(await judge(expects.distribution('plain', FILE, 1))).toMatchObject({ passed: false, observed: null });
    expect(await judge(expects.distribution('plain', FILE, 1), 'reference_plain', { ...relation, from: '(select * from staged limit 0)' })).toMatchObject({ passed: false, observed: null });
    await duck.run('create table reference_many as select i::varchar as value, 1::bigint as n from range(10001) r(i)');
    expect(await judge(expects.distribution('word', FILE, 1), 'reference_many')).toMatchObject({ passed: false, observed: 'the reference has more than 10000 different values' });
  });
});

it.each([[1, 1 - 2 ** -53], [-1, -1 - 2 ** -52], [0, -5e-324], [5e-324, 0], [-5e-324, -1e-323], [3, 2.9999999999999996]])('below %d is %d', (value, below) => {
  expect(nextBelow(value)).toBe(below);
});

const types = new Map([['age', 'number'], ['code', 'text'], ['member', 'boolean'], ['seen', 'time']] as const);
it.each<[ExpectationInput, RegExp | null]>([
  [expects.distribution('age', { edges: [0, 18, 65], shares: [0.5, 0.5] }, 0.1), null],
  [expects.distribution('seen', { edges: ['2026-01-01', '2026-02-01'], shares: [1] }, 0.1), null],
  [expects.distribution('code', FILE, 0.1), null],
  [expects.distribution('age', { shares: { a: 1 } }, 0.1), /edges and the shares between them: age holds number/],
  [expects.distribution('code', { edges: [0, 1], shares: [1] }, 0.1), /shares of values.*code holds text/],
  [expects.distribution('age', { edges: [0, 1, 1], shares: [0.5, 0.5] }, 0.1), /edges that ascend/],
  [expects.distribution('age', { edges: ['a', 1], shares: [1] }, 0.1), /edges that are numbers/],
  [expects.distribution('seen', { edges: ['soon', '2026-01-01'], shares: [1] }, 0.1), /ISO 8601 times/],
  [expects.distribution('age', { edges: [0, 1, 2], shares: [1] }, 0.1), /a share for each of the 2 bins between the edges, found 1/],
  [expects.distribution('code', { shares: { a: 0.5, b: 0.4 } }, 0.1), /sum up to 1, found 0.9/],
  [expects.distribution('member', { shares: { yes: 1 } }, 0.1), /"true" and "false", found "yes"/],
  [expects.distribution('agee', FILE, 0.1), /not agee/],
])('a definition with %j is told what is wrong', (input, problem) => {
  const found = misfits(Expectation.parse(input), types).join();
  if (problem) expect(found).toMatch(problem);
  else expect(found).toBe('');
});

describe('a snapshot whose rows are held to the distribution of another file', () => {
  let stack: DataStack;
  beforeAll(async () => { stack = await createDataStack(); });
  afterAll(() => stack.close());

  it('is not made where they are too far from it, is where the file says so, and is looked at again although its rows are the same', async () => {
    const located = await stack.locate();
    const write = (name: string, sql: string) => query(`copy (${sql}) to '${join(located.root, name)}' (format parquet)`);
    await write('rows.parquet', 'select \'row-\' || i as id, (i % 50)::double as age, case when i % 2 = 0 then \'yes\' else \'no\' end as outcome from range(400) r(i)');
    await write('last-year.parquet', 'select (i % 100)::integer as years from range(1000) r(i)');
    const define = (model?: string) => stack.define({
      kind: 'table', columns: ['age'], target: { name: 'outcome', classes: ['no', 'yes'] }, expectations: [expects.distribution('age', { location: located.name, path: 'last-year.parquet', other: 'years' }, 0.1)],
      sources: [{ kind: 'parquet', location: located.name, path: 'rows.parquet', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
    }, model);
    const { build, model } = await define();
    expect(await build()).toMatchObject({ blocked: true, report: { expectations: [{ kind: 'distribution', passed: false, observed: 0.5 }] } });
    await write('last-year.parquet', 'select (i % 52)::integer as years from range(1000) r(i)');
    expect(await (await define(model)).build()).toMatchObject({ blocked: false, report: { expectations: [{ passed: true }] } });
  });
});
