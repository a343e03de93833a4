import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { shardOf, splitOf } from '../../domain/stable-split.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Place = Awaited<ReturnType<DataStack['locate']>>;
type Table = Extract<Data, { kind: 'table' }>;
const BY_KEY = { train: 0.7, validation: 0.1, test: 0.2 };

const table = (location: string, columns: readonly string[], more: Partial<Table> = {}): Table => ({
  kind: 'table', columns: [...columns], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
  sources: [{ kind: 'parquet', location, path: '*.parquet', key: 'id', split: { byKey: BY_KEY }, attributes: { region: 'north' } }],
  ...more,
});

/** `rows` rows with the numeric columns c0… and the text columns id and outcome. */
const generated = (rows: number, columns: number) =>
  `select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, ${Array.from({ length: columns }, (_, c) => `sin(i * ${c + 1}.37) * 100 as c${c}`).join(', ')} from range(${rows}) r(i)`;

async function copy(sql: string, place: Place, file = 'rows.parquet'): Promise<void> {
  await query(`copy (${sql}) to '${join(place.root, file)}' (format parquet)`);
}
const checks = (result: { report: { findings: { check: string; severity: string }[] } }) => result.report.findings.map(({ check, severity }) => `${check}:${severity}`);
const filesOf = async (digest: string) => (await openSnapshot(stack.deps, digest)).localShards.map(({ path }) => `'${path}'`).join(', ');

describe('a snapshot of a table', () => {
  it('has its rows ordered by key in each shard, split by key as the domain says', async () => {
    const place = await stack.locate();
    await copy(generated(500, 2), place);
    const { build } = await stack.define(table(place.name, ['c0', 'c1']));
    const built = await build();
    expect(built).toMatchObject({ blocked: false, rows: 500, counts: { byClass: { no: 250, yes: 250 }, byAttribute: { 'region=north': 500 } } });
    const { manifest, localShards } = await openSnapshot(stack.deps, built.digest);
    expect(manifest.content).toMatchObject({ kind: 'table', columns: ['c0', 'c1'] });
    for (const { path, split } of localShards) {
      const rows = await query(`select key, split, label, attributes, c0, c1 from read_parquet('${path}')`);
      const keys = rows.map(({ key }) => String(key));
      expect(keys).toEqual([...keys].sort());
      expect(new Set(keys.map((key) => splitOf(key, BY_KEY)))).toEqual(new Set([split]));
      const [first] = rows;
      const i = Number(String(first?.['key']).slice(4));
      expect(first).toMatchObject({ split, label: i % 2 ? 'yes' : 'no', attributes: '{"region":"north"}' });
      expect(first?.['c1']).toBeCloseTo(Math.sin(i * 2.37) * 100, 9);
    }
  });

  it('streams 200,000 rows of 20 columns', async () => {
    const place = await stack.locate();
    await copy(generated(200_000, 20), place);
    const before = process.memoryUsage().rss;
    const { build } = await stack.define(table(place.name, Array.from({ length: 20 }, (_, index) => `c${index}`)));
    expect(await build()).toMatchObject({ blocked: false, rows: 200_000 });
    expect(process.memoryUsage().rss - before).toBeLessThan(0.8e9);
  });

  it('takes rows of long texts in parts that fit into its memory', async () => {
    const place = await stack.locate();
    await copy('select \'row-\' || i as id, case when i % 2 = 0 then \'no\' else \'yes\' end as outcome, repeat(md5(i::varchar), case when i < 4000 then 1 else 625 end) as body from range(7000) r(i)', place);
    const { build } = await stack.define(table(place.name, [], { columns: [{ name: 'body', type: 'text' }] }));
    const built = await build();
    expect(built).toMatchObject({ blocked: false, rows: 7_000 });
    expect(await query(`select count(*)::integer as n, max(length(body))::integer as longest from read_parquet([${await filesOf(built.digest)}])`)).toEqual([{ n: 7_000, longest: 20_000 }]);
  });

  it('is the same when its rows come in another order and in several files', async () => {
    const place = await stack.locate();
    await copy(generated(5_000, 3), place);
    const { build, model } = await stack.define(table(place.name, ['c0', 'c1', 'c2']));
    const built = await build();
    await copy(`select * from (${generated(5_000, 3)}) where id < 'row-15' order by hash(id)`, place, 'a.parquet');
    await copy(`select * from (${generated(5_000, 3)}) where id >= 'row-15' order by id desc`, place, 'rows.parquet');
    const again = await (await stack.define(table(place.name, ['c0', 'c1', 'c2']), model)).build();
    expect(again).toMatchObject({ digest: built.digest, reused: true });
  });

  it('divides a large split by the domain\'s shards; a changed row changes one of them, repeated ones none', async () => {
    const place = await stack.locate();
    const data = table(place.name, ['c0'], { sources: [
      { kind: 'parquet', location: place.name, path: 'train.parquet', key: 'id', split: 'train' },
      { kind: 'parquet', location: place.name, path: 'test.parquet', key: 'id', split: 'test' },
    ], leakage: { acrossSplits: 'off' } }); // the test rows are copies
    const rows = generated(405_000, 1);
    await copy(rows, place, 'train.parquet');
    await copy(`select 't' || id as id, outcome, c0 from (${generated(10, 1)})`, place, 'test.parquet');
    const { build, model } = await stack.define(data);
    const first = await build();
    expect(first.rows).toBe(405_010);
    const before = await openSnapshot(stack.deps, first.digest);
    expect(before.manifest.shards.map(({ index, split }) => [index, split])).toEqual([[0, 'train'], [1, 'train'], [2, 'train'], [3, 'train'], [4, 'test']]);
    expect(before.manifest.counts.bySplit).toEqual({ train: 405_000, test: 10 });
    for (const index of [0, 1, 2, 3]) {
      const [row] = await query(`select key from read_parquet('${before.localShards[index]?.path ?? ''}') limit 1`);
      expect(shardOf(String(row?.['key']), 4)).toBe(index);
    }
    await copy(`select id, outcome, case when id = 'row-7' then 1.5 else c0 end as c0 from (${rows}) union all select * from (${rows}) where id like 'row-9999%'`, place, 'train.parquet');
    await copy(`select 't' || id as id, outcome, c0 from (${generated(10, 1)}) union all select * from (${rows}) where id = 'row-1'`, place, 'test.parquet');
    const built = await (await stack.define(data, model)).build();
    expect(built.rows).toBe(405_010);
    expect(built.report.findings.map(({ check, count, rows: named }) => [check, count, named[0]])).toEqual([['duplicate', 22, 'row-9999'], ['duplicate', 2, 'row-1']]);
    const after = await openSnapshot(stack.deps, built.digest);
    expect(after.manifest.counts.bySplit).toEqual({ train: 404_999, test: 11 });
    const changed = after.manifest.shards.map(({ file }, index) => file.sha256 !== before.manifest.shards[index]?.file.sha256);
    const concerned = ['row-7', 'row-1'].map((key) => shardOf(key, 4));
    expect(changed).toEqual([0, 1, 2, 3].map((index) => concerned.includes(index)).concat(true));
  });

  it('takes labelled predictions of numbers', async () => {
    const place = await stack.locate();
    await copy(generated(100, 2), place);
    const data = table(place.name, ['c0', 'c1']);
    data.sources.push({ kind: 'labelled-predictions', split: 'train' });
    const { build, model } = await stack.define(data);
    const ask = (values: number[]) => stack.predicted(model, { input: new Uint8Array(Float32Array.from(values).buffer), shape: [1, 2], label: 'yes', attributes: { source: 'web' } });
    await ask([1.5, -2]);
    await ask([1.5, -2]);
    await ask([3, 4]);
    const built = await build();
    expect(built).toMatchObject({ rows: 102, blocked: false });
    expect(await query(`select c0, c1, label from read_parquet([${await filesOf(built.digest)}]) where attributes = '{"source":"web"}' order by c0`)).toEqual([{ c0: 1.5, c1: -2, label: 'yes' }, { c0: 3, c1: 4, label: 'yes' }]);
  });
});

describe('validation of tables', () => {
  async function built(sql: string, more: Partial<Table> = {}, change: (place: Place) => Promise<void> = async () => undefined) {
    const place = await stack.locate();
    await copy(sql, place);
    await change(place);
    const { build, model } = await stack.define(table(place.name, ['c0', 'c1'], more));
    return { result: await build(), model };
  }
  const good = generated(200, 2);
  const relaxed = { checks: { minimumRowsPerClass: 1, unreadable: 'drop' } } as const;

  it('names the rows whose number is missing, not finite or no number', async () => {
    const bad = `select * replace (case id when 'row-1' then null when 'row-2' then 'nan'::double when 'row-3' then 'inf'::double else c0 end as c0) from (${good})`;
    const { result, model } = await built(bad);
    expect(result).toMatchObject({ blocked: true, report: { findings: [{ check: 'not-a-number', severity: 'block', count: 3 }] } });
    expect(result.report.findings[0]?.rows[0]).toMatch(/^row-\d \(rows\.parquet row \d\)$/);
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    expect((await built(bad, relaxed)).result).toMatchObject({ blocked: false, rows: 197 });
    const text = `select * replace (case id when 'row-1' then 'abc' else c0::varchar end as c0) from (${good})`;
    expect((await built(text, relaxed)).result).toMatchObject({ rows: 199, report: { findings: [{ check: 'not-a-number', severity: 'drop', count: 1 }] } });
    expect((await built(`select * replace (date '2026-01-01' as c0) from (${good})`)).result.report.findings[0]?.message).toMatch(/c0 \(DATE\)/);
  });

  it('counts all and names twenty', async () => {
    const { result } = await built(`select * replace (case when c0 > 0 then null else c0 end as c0) from (${good})`);
    const finding = result.report.findings.find(({ check }) => check === 'not-a-number');
    expect(finding?.rows.length).toBe(20);
    expect(finding?.count).toBeGreaterThan(80);
  });

  it('finds missing columns, unknown classes and rows without a key', async () => {
    expect((await built(`select id, outcome, c0 from (${good})`)).result.report.findings[0]).toMatchObject({ check: 'wrong-shape', severity: 'block', rows: [expect.stringMatching(/rows\.parquet/)], message: 'columns are missing: c1' });
    expect((await built(`select * replace (case id when 'row-1' then 'maybe' else outcome end as outcome) from (${good})`)).result).toMatchObject({ blocked: false, rows: 199, report: { findings: [{ check: 'unknown-class', severity: 'drop', count: 1 }] } });
    expect(checks((await built(`select * replace (case id when 'row-1' then null else id end as id) from (${good})`)).result)).toEqual(['unreadable:block']);
  });

  it('finds a file that was cut in half', async () => {
    const cut = async (place: Place) => writeFile(join(place.root, 'cut.parquet'), (await import('node:fs')).readFileSync(join(place.root, 'rows.parquet')).subarray(0, 900));
    const { result } = await built(good, {}, cut);
    expect(result.report.findings).toMatchObject([{ check: 'unreadable', severity: 'block', rows: [expect.stringMatching(/cut\.parquet/)] }]);
    expect((await built(good, relaxed, cut)).result).toMatchObject({ blocked: false, rows: 200 });
  });

  it('keeps one row of a key, and blocks on a key under two classes', async () => {
    const twice = `${good} union all select * from (${good}) where id = 'row-1'`;
    expect((await built(twice)).result).toMatchObject({ blocked: false, rows: 200, report: { findings: [{ check: 'duplicate', severity: 'drop', count: 2, rows: ['row-1'] }] } });
    const conflict = `${good} union all select * replace ('no' as outcome) from (${good}) where id = 'row-1'`;
    expect((await built(conflict)).result).toMatchObject({ blocked: true, report: { findings: [{ check: 'conflicting-label', rows: ['row-1 (no = yes)'] }] } });
    expect((await built(conflict, { checks: { minimumRowsPerClass: 1, conflictingLabels: 'drop' } })).result).toMatchObject({ blocked: false, rows: 199 });
  });
});
