import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import type { TypedColumn } from '../../definition/columns.js';
import { encodeRow } from '../../domain/cells.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
const COLUMNS: TypedColumn[] = [
  { name: 'age', type: 'number', nullable: true }, { name: 'sex', type: 'text', nullable: false }, { name: 'port', type: 'text', nullable: true },
  { name: 'alone', type: 'boolean', nullable: true }, { name: 'booked', type: 'time', nullable: true }, { name: 'fare', type: 'number', nullable: false },
];
const ROWS = `select 'p' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, case when i = 1 then null else i + 0.5 end as age, case when i % 3 = 0 then 'female' else 'male' end as sex,
  case when i = 2 then null else 'Q"ü' end as port, case when i = 3 then null else i % 2 = 0 end as alone, case when i = 4 then null else timestamp '2026-01-31 08:00:00.25' end as booked, i * 2 as fare from range(40) r(i)`;

/** Builds a snapshot of the rows that `sql` gives. */
async function built(sql: string, columns: Table['columns'] = COLUMNS, more: Partial<Table> = {}) {
  const place = await stack.locate();
  await query(`copy (${sql}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
  const { build, model } = await stack.define({
    kind: 'table', columns, target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
    sources: [{ kind: 'parquet', location: place.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.6, test: 0.4 } } }], ...more,
  });
  return { model, result: await build() };
}
const filesOf = async (digest: string) => (await openSnapshot(stack.deps, digest)).localShards.map(({ path }) => `'${path}'`).join(', ');
const findings = ({ report }: { report: { findings: { check: string; message: string; count: number; rows: string[] }[] } }) => report.findings.map(({ check, count, rows }) => [check, count, rows[0]?.split(' ')[0]]);
const change = (what: string) => `select * replace (${what}) from (${ROWS})`;

describe('typed columns in a snapshot', () => {
  it('are stored as they are, nulls where they are nullable', async () => {
    const { result } = await built(ROWS);
    expect(result).toMatchObject({ blocked: false, rows: 40, report: { findings: [] } });
    const { manifest } = await openSnapshot(stack.deps, result.digest);
    expect(manifest.content.columns).toEqual(COLUMNS.map((column) => (column.name === 'fare' ? 'fare' : column)));
    const rows = await query(`select * exclude (split, label, attributes) from read_parquet([${await filesOf(result.digest)}]) where key in ('p1', 'p2', 'p3', 'p4') order by key`);
    const booked = '2026-01-31T08:00:00.250Z';
    expect(rows).toEqual([
      { key: 'p1', age: null, sex: 'male', port: 'Q"ü', alone: false, booked, fare: 2 }, { key: 'p2', age: 2.5, sex: 'male', port: null, alone: true, booked, fare: 4 },
      { key: 'p3', age: 3.5, sex: 'female', port: 'Q"ü', alone: null, booked, fare: 6 }, { key: 'p4', age: 4.5, sex: 'male', port: 'Q"ü', alone: true, booked: null, fare: 8 },
    ]);
  });

  it('are covered by the digest as the contract says', async () => {
    const place = await stack.locate();
    for (const [file, keys] of [['train', "'p1', 'p4'"], ['test', "'p5'"]] as const) await query(`copy (select * from (${ROWS}) where id in (${keys})) to '${join(place.root, file)}.parquet' (format parquet)`);
    const trainShard = async (columns: Table['columns']) => {
      const source = (split: 'train' | 'test') => ({ kind: 'parquet' as const, location: place.name, path: `${split}.parquet`, key: 'id', split });
      const { build } = await stack.define({ kind: 'table', columns, target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 }, sources: [source('train'), source('test')] });
      return (await openSnapshot(stack.deps, (await build()).digest)).manifest.shards.find(({ split }) => split === 'train')?.digest;
    };
    // As contract/snapshot.ts describes it, and with nothing else.
    const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();
    const numbers = (...values: readonly (number | null)[]) => [sha256(Buffer.concat(values.map((value) => { const bytes = Buffer.alloc(8); if (value === null) bytes.writeBigUInt64LE(0x7ff8000000000000n); else bytes.writeDoubleLE(value); return bytes; })))];
    const texts = (...values: readonly (string | null)[]) => [
      sha256(Buffer.concat(values.map((value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32LE(value === null ? 0xffffffff : Buffer.byteLength(value)); return bytes; }))),
      sha256(values.map((value) => (value === null ? '' : Buffer.byteLength(value) <= 64 ? value : sha256(value).toString('hex'))).join('')),
    ];
    const shard = (columns: string, ...parts: readonly Buffer[][]) => sha256(Buffer.concat([Buffer.from(`{"columns":[${columns}],"label":"text","split":"train"}`), ...parts.flat()])).toString('hex');
    const column = (name: string, type: string, nullable: boolean) => `{"name":"${name}","nullable":${nullable},"type":"${type}"}`;
    const described = COLUMNS.map(({ name, type, nullable }) => column(name, type, nullable)).join(',');
    expect(await trainShard(COLUMNS)).toBe(shard(described, texts('p1', 'p4'), texts('yes', 'no'), texts('{}', '{}'),
      numbers(null, 4.5), texts('male', 'male'), texts('Q"ü', 'Q"ü'), texts('false', 'true'), numbers(Date.parse('2026-01-31T08:00:00.250Z'), null), numbers(2, 8)));
    expect(await trainShard(['fare'])).toBe(shard(column('fare', 'number', false), texts('p1', 'p4'), texts('yes', 'no'), texts('{}', '{}'), numbers(2, 8)));
  });

  it('are read from the types that files have for them', async () => {
    const texts = `select id, outcome, age::varchar as age, sex, port, case when alone then '1' when not alone then 'FALSE' end as alone, booked::timestamptz as booked, fare::varchar as fare from (${ROWS})`;
    const { result } = await built(ROWS);
    expect((await built(texts)).result.report.findings).toEqual([]);
    const content = async (digest: string) => query(`select * exclude (split) from read_parquet([${await filesOf(digest)}]) order by key`);
    expect(await content((await built(texts)).result.digest)).toEqual(await content(result.digest));
    const offsets = `select * replace (case when id = 'p5' then '' when id = 'p6' then '2026-02-01' else '2026-01-31T10:00:00.25+02:00' end as booked) from (${ROWS})`;
    const booked = (await content((await built(offsets)).result.digest)).map((row) => row['booked']);
    expect([...new Set(booked)].sort()).toEqual(['2026-01-31T08:00:00.250Z', '2026-02-01T00:00:00.000Z', null].sort());
    // Data frames write a missing number as NaN.
    expect((await built(change(`case when id = 'p9' then 'nan'::double else age end as age`))).result).toMatchObject({ blocked: false, report: { findings: [] } });
  });

  it('name the rows whose value is missing or of another type', async () => {
    expect(findings((await built(change(`case when id = 'p7' then null else sex end as sex`))).result)).toEqual([['missing-value', 1, 'p7']]);
    expect(findings((await built(change(`case when id = 'p7' then 'inf'::double else age end as age`))).result)).toEqual([['not-a-number', 1, 'p7']]);
    expect(findings((await built(change(`case when id = 'p7' then 'abc' else age::varchar end as age`))).result)).toEqual([['not-a-number', 1, 'p7']]);
    expect(findings((await built(change(`case when id = 'p7' then 2 else alone::integer end as alone`))).result)).toEqual([['wrong-type', 1, 'p7']]);
    expect(findings((await built(change(`case when id = 'p7' then '2026-01-31 08:00:00' else '2026-01-31' end as booked`))).result)).toEqual([['wrong-type', 1, 'p7']]);
    const { result } = await built(change(`[1] as sex, fare::boolean as booked`));
    expect(result.report.findings[0]).toMatchObject({ check: 'wrong-type', severity: 'block', message: expect.stringMatching(/sex \(INTEGER\[\]\) has to hold text; booked \(BOOLEAN\) has to hold a time with an offset/) as string });
  });

  it('come from labelled predictions, by name', async () => {
    const place = await stack.locate();
    await query(`copy (${ROWS}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    const { build, model } = await stack.define({
      kind: 'table', columns: COLUMNS, target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2, unreadable: 'warn' },
      sources: [{ kind: 'parquet', location: place.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.6, test: 0.4 } } }, { kind: 'labelled-predictions', split: 'train' }],
    });
    const logged = [...COLUMNS].reverse().concat({ name: 'gone', type: 'text', nullable: false });
    const ask = (cells: readonly (string | number | boolean | null)[]) => stack.predicted(model, { input: Uint8Array.from(encodeRow(logged, cells)), shape: [], label: 'yes', attributes: { source: 'web' } });
    await ask([7.25, '2026-03-01T00:00:00.000Z', null, 'S', 'female', null, 'more']);
    const wrong = await ask([7.25, 'yesterday', null, 'S', 'female', null, 'more']);
    const result = await build();
    expect(result).toMatchObject({ rows: 41, report: { findings: [{ check: 'wrong-shape', severity: 'warn', count: 1, rows: [`prediction ${wrong}`] }] } });
    expect(await query(`select age, sex, port, alone, booked, fare, label from read_parquet([${await filesOf(result.digest)}]) where attributes = '{"source":"web"}'`))
      .toEqual([{ age: null, sex: 'female', port: 'S', alone: null, booked: '2026-03-01T00:00:00.000Z', fare: 7.25, label: 'yes' }]);
  });
});
