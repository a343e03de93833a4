import { appendFileSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { openSnapshot } from '../../activities/data/index.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Source = Data['sources'][number];
type Kind = 'csv' | 'ndjson' | 'parquet';
type Checks = NonNullable<Data['checks']>;
const RELAXED = { minimumRowsPerClass: 1, unreadable: 'drop' } satisfies Checks;

const row = (i: number) => ({ id: `row-${i}`, age: i + 0.5, visits: i % 7, label: i % 2 ? 'yes' : 'no' });
const ROWS = Array.from({ length: 40 }, (_, i) => row(i));
const csvLine = ({ id, age, visits, label }: ReturnType<typeof row>) => `${id},${age},${visits},${label}`;
const CSV = ['id,age,visits,label', ...ROWS.map(csvLine)];
const JSONL = ROWS.map((one) => JSON.stringify(one));
const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;

const table = (sources: readonly Source[], checks: Checks = { minimumRowsPerClass: 1 }): Data => ({ kind: 'table', columns: ['age', 'visits'], target: { name: 'label', classes: ['no', 'yes'] }, sources: [...sources], checks });
const from = (kind: Kind, location: string, path: string, more: object = {}): Source => ({ kind, location, path, key: 'id', split: { byKey: { train: 0.5, test: 0.5 } }, ...more });

/** The rows of a snapshot, by key. */
async function rowsOf(digest: string) {
  const { localShards } = await openSnapshot(stack.deps, digest);
  return query(`select key, label, age, visits from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}]) order by key`);
}
async function built(kind: Kind, files: Readonly<Record<string, string | Uint8Array>>, { checks, ...more }: { checks?: Checks } & Record<string, unknown> = {}) {
  const place = await stack.locate();
  for (const [name, bytes] of Object.entries(files)) await place.put(name, bytes);
  const { build, model } = await stack.define(table([from(kind, place.name, '*', more)], checks));
  return { result: await build(), model, place, build };
}
const found = ({ report }: { report: { findings: { check: string; severity: string; count: number; rows: string[] }[] } }) => report.findings.map(({ check, severity, count, rows }) => [`${check}:${severity}`, count, rows]);
const with20 = (lines: readonly string[], ...more: string[]) => [...lines.slice(0, 21), ...more, ...lines.slice(21)];

describe('the same rows as Parquet, CSV or JSON lines', () => {
  it('are the same snapshot, whatever the file\'s form', async () => {
    const place = await stack.locate();
    const forms: Record<string, [Kind, string | Buffer, object?]> = {
      'plain.csv': ['csv', text(CSV)],
      'windows.csv': ['csv', `\uFEFF${CSV.map((line) => line.split(',').map((field) => `"${field}"`).join(';')).join('\r\n')}`.replaceAll(/"(\d+)\.5"/g, '"$1,5"'), { delimiter: ';', decimal: ',' }],
      'bare.csv': ['csv', text(CSV.slice(1)), { header: ['id', 'age', 'visits', 'label'] }],
      'moved.csv.gz': ['csv', gzipSync(text(['note,label,visits,age,id', ...ROWS.toReversed().map(({ id, age, visits, label }) => `"a ""note"", of\ntwo lines",${label},${visits},${age},${id}`)]))],
      'rows.ndjson': ['ndjson', `${JSONL.join('\n\n')}`],
      'rows.jsonl.gz': ['ndjson', gzipSync(JSONL.toReversed().join('\r\n'))],
    };
    for (const [name, [, bytes]] of Object.entries(forms)) await place.put(name, bytes);
    const values = ROWS.map(({ id, age, visits, label }) => `('${id}', ${age}, ${visits}, '${label}')`).join(', ');
    const all = `select * from (values ${values}) rows(id, age, visits, label)`;
    await query(`copy (${all}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    await query(`copy (${all}) to '${join(place.root, 'rows.csv.zst')}' (format csv, header, compression zstd)`);
    await query(`copy (${all} order by id limit 20) to '${join(place.root, 'part-1.pq')}' (format parquet)`);
    await query(`copy (${all} order by id offset 20) to '${join(place.root, 'part-2.pq')}' (format parquet)`);
    const sources = [from('parquet', place.name, 'rows.parquet'), from('parquet', place.name, 'part-?.pq'), from('csv', place.name, 'rows.csv.zst'), ...Object.entries(forms).map(([name, [kind, , more]]) => from(kind, place.name, name, more))];
    const { build, model } = await stack.define(table(sources.slice(0, 1)));
    const first = await build();
    expect(first).toMatchObject({ blocked: false, rows: 40, report: { findings: [] } });
    for (const source of sources.slice(1)) {
      const again = await (await stack.define(table([source]), model)).build();
      expect([JSON.stringify(source), again.report.findings, again.digest]).toEqual([JSON.stringify(source), [], first.digest]);
    }
    expect((await rowsOf(first.digest))[1]).toEqual({ key: 'row-1', label: 'yes', age: 1.5, visits: 1 });
  });

  it('may lie below an S3 prefix', async () => {
    const client = stack.stack.createS3Client();
    const name = 'in-s3';
    await stack.stores.locations.set(name, `s3://${stack.bucket}/tables`, 'ada');
    for (const [key, body] of [['day/1.csv', text(CSV.slice(0, 21))], ['day/2.csv', text([CSV[0] ?? '', ...CSV.slice(21)])], ['rows.jsonl.gz', gzipSync(text(JSONL))]] as const) await client.send(new PutObjectCommand({ Bucket: stack.bucket, Key: `tables/${key}`, Body: body }));
    client.destroy();
    const { build, model } = await stack.define(table([from('csv', name, 'day/*.csv')]));
    const asCsv = await build();
    expect(asCsv).toMatchObject({ blocked: false, rows: 40 });
    expect((await (await stack.define(table([from('ndjson', name, '**/*.gz')]), model)).build()).digest).toBe(asCsv.digest);
  });

  it('are the same snapshot in any order and division of files', async () => {
    const place = await stack.locate();
    const { build, model } = await stack.define(table([from('csv', place.name, '*.csv')]));
    await place.put('a.csv', text(CSV));
    const { digest } = await build();
    let state = 7;
    const random = (below: number) => { state = (state * 1_103_515_245 + 12_345) % 2 ** 31; return state % below; };
    for (let round = 0; round < 6; round++) {
      const order = ROWS.map((one) => [random(1_000_000), one] as const).toSorted(([a], [b]) => a - b).map(([, one]) => csvLine(one));
      const cut = 1 + random(39);
      await place.put('a.csv', text([CSV[0] ?? '', ...order.slice(0, cut)]));
      await place.put(`b-${random(1000)}.csv`, text([CSV[0] ?? '', ...order.slice(cut)]));
      expect((await (await stack.define(table([from('csv', place.name, '*.csv')]), model)).build()).digest).toBe(digest);
      for (const file of readdirSync(place.root)) if (file.startsWith('b-')) await rm(join(place.root, file));
    }
  });
});

describe('rows that are none', () => {
  it('in CSV are named with their line, and so are the good rows behind them', async () => {
    const bad = with20(CSV, 'row-90,1', 'row-91,1,2,no,more', 'row-92,"1"x,2,no', 'row-93,abc,1,no', 'row-94,nan,1,no', 'row-95,1,-inf,no', 'row-96,1e999,1,no', 'row-97,1,1,maybe');
    const { result, model } = await built('csv', { 'a.csv': text(bad) });
    expect(result.blocked).toBe(true);
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    expect(found(result)).toEqual([
      ['wrong-shape:block', 1, ['a.csv line 22']], ['wrong-shape:block', 1, ['a.csv line 23']], ['unreadable:block', 1, ['a.csv line 24']],
      ['unknown-class:drop', 1, ['row-97 (a.csv line 29)']],
      ['not-a-number:block', 3, ['row-93 (a.csv line 25)', 'row-94 (a.csv line 26)', 'row-96 (a.csv line 28)']], ['not-a-number:block', 1, ['row-95 (a.csv line 27)']],
    ]);
    expect((await built('csv', { 'a.csv': text(bad) }, { checks: RELAXED })).result).toMatchObject({ blocked: false, rows: 40 });
  });

  it('in JSON lines are named with their line', async () => {
    const bad = with20(JSONL, '', 'nothing', '[1]', '{"id":"row-93","age":"x","visits":1,"label":"no"}', '{"id":"row-94","age":NaN,"visits":1,"label":"no"}', '{"id":"row-95","age":[1],"visits":1,"label":"no"}', '{"id":"row-96","label":"no"', '{"id":"row-97","age":1,"label":"no"}');
    const { result } = await built('ndjson', { 'a.ndjson': text(bad) });
    expect(found(result)).toEqual([
      ['unreadable:block', 3, ['a.ndjson line 23', 'a.ndjson line 24', 'a.ndjson line 28']],
      ['not-a-number:block', 3, ['row-93 (a.ndjson line 25)', 'row-94 (a.ndjson line 26)', 'row-95 (a.ndjson line 27)']], ['not-a-number:block', 1, ['row-97 (a.ndjson line 29)']],
    ]);
    expect((await built('ndjson', { 'a.ndjson': text(bad) }, { checks: RELAXED })).result).toMatchObject({ blocked: false, rows: 40 });
  });

  it('of another encoding are named with their line; a file of UTF-16 is refused as one', async () => {
    const latin = (lines: readonly string[], bad: string) => Buffer.concat([Buffer.from(text(lines.slice(0, 3))), Buffer.from(`${bad}\n`, 'latin1'), Buffer.from(text(lines.slice(3)))]);
    expect(found((await built('csv', { 'a.csv': latin(CSV, 'café,1,2,no'), }, {})).result)).toEqual([['unreadable:block', 1, ['a.csv line 4']]]);
    expect(found((await built('ndjson', { 'a.json': latin([...JSONL.slice(0, 9), '{"id":"row-99","age":"x","visits":1,"label":"no"}', ...JSONL.slice(9)], '{"id":"café"}') })).result)).toEqual([['unreadable:block', 1, ['a.json line 4']], ['not-a-number:block', 1, ['row-99 (a.json line 11)']]]);
    for (const [kind, lines] of [['csv', CSV], ['ndjson', JSONL]] as const) {
      const { result } = await built(kind, { 'wide.txt': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text(lines), 'utf16le')]) });
      expect(found(result)[0]).toEqual(['unreadable:block', 1, ['wide.txt line 1']]);
      expect(result.report.findings[0]?.message).toMatch(/UTF-16.*save it as UTF-8/);
      expect(found((await built(kind, { 'wide.txt': Buffer.from(text(lines), 'utf16le') })).result)[0]).toEqual(['unreadable:block', 1, ['wide.txt line 1']]);
    }
  });

  it('that are too long, or never end, are named with the line where they begin', async () => {
    const long = (lines: readonly string[], begin: string) => Buffer.concat([Buffer.from(text(lines.slice(0, 11))), Buffer.from(begin), Buffer.alloc(100_000_000, 'x'), Buffer.from(text(['', ...lines.slice(11)]))]);
    const before = process.memoryUsage().rss;
    for (const [kind, lines, begin] of [['csv', CSV, 'row-99,'], ['csv', CSV, 'row-99,"'], ['ndjson', JSONL, '{"id":"']] as const) {
      const { result } = await built(kind, { 'long.txt': gzipSync(long(lines, begin), { level: 1 }) });
      expect(found(result)[0]).toEqual(['unreadable:block', 1, ['long.txt line 12']]);
      expect(result.report.findings[0]?.message).toMatch(/longer than 1,000,000 bytes/);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(600e6);
    const open = await built('csv', { 'open.csv': text([...CSV, 'row-99,"1,2,no']) });
    expect(found(open.result)[0]).toEqual(['unreadable:block', 1, ['open.csv line 42']]);
  });

  it('are told by row, not by line, where fields hold line ends', async () => {
    const { result } = await built('csv', { 'a.csv': text(['id,age,visits,label,note', ...ROWS.map((one, i) => `${csvLine(i === 30 ? { ...one, age: Number.NaN } : one)},"two\nlines"`)]) });
    expect(found(result)).toEqual([['not-a-number:block', 1, ['row-30 (a.csv row 31)']]]);
  });
});

describe('files that are none', () => {
  it('a file that was cut is found, however it is packed', async () => {
    const many = text([CSV[0] ?? '', ...Array.from({ length: 60_000 }, (_, i) => csvLine(row(i)))]);
    const place = await stack.locate();
    await place.put('rows.csv', many);
    await query(`copy (select * from read_csv('${join(place.root, 'rows.csv')}', all_varchar = true)) to '${join(place.root, 'rows.csv.zst')}' (format csv, header, compression zstd)`);
    await query(`copy (select * from read_csv('${join(place.root, 'rows.csv')}', all_varchar = true)) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    const zst = await readFile(join(place.root, 'rows.csv.zst'));
    const parquet = await readFile(join(place.root, 'rows.parquet'));
    const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
    for (const [kind, bytes, said] of [['csv', gzipSync(many), /gzip file was cut/], ['csv', zst, /Zstandard file was cut/], ['parquet', parquet, /not a whole file of Parquet/]] as const) {
      const { result, place: other, build } = await built(kind, { 'rows.packed': half(Buffer.from(bytes)) });
      expect([result.blocked, found(result)[0]]).toEqual([true, ['unreadable:block', 1, ['rows.packed']]]);
      expect(result.report.findings[0]?.message).toMatch(said);
      await other.put('rows.packed', bytes);
      const again = await build();
      expect([again.report.findings, again.rows]).toEqual([[], 60_000]);
    }
  });

  it('headers that name no column, the same twice, or not the needed ones are told', async () => {
    const said = async (first: string) => { const finding = (await built('csv', { 'a.csv': text([first, ...CSV.slice(1)]) })).result.report.findings[0]; return `${finding?.check ?? ''}: ${finding?.message ?? ''}: ${finding?.rows.join() ?? ''}`; };
    expect(await said('id,age,visits,class')).toBe('wrong-shape: columns are missing: label: a.csv');
    expect(await said('id,age,age,label')).toMatch(/^unreadable: .*names the column age twice.*a\.csv line 1$/);
    expect(await said('id,age,visits,')).toMatch(/^unreadable: .*without a name/);
    expect((await built('csv', { 'a.csv': '' })).result.report.findings[0]?.message).toMatch(/there is no header/);
  });

  it('mixed line ends and another decimal sign are told', async () => {
    const { result } = await built('csv', { 'a.csv': text(CSV).replace('\nrow-30', '\r\nrow-30') });
    expect(found(result)[0]).toEqual(['unreadable:block', 1, ['a.csv line 31']]);
    const comma = await built('csv', { 'a.csv': text(CSV) }, { decimal: ',', delimiter: ';' });
    expect(comma.result.report.findings[0]?.message).toMatch(/columns are missing/);
    const thousands = await built('csv', { 'a.csv': text(CSV).replaceAll(',', ';').replace('3.5', '1.003,5') }, { decimal: ',', delimiter: ';' });
    expect(found(thousands.result)[0]?.[1]).toBe(40);
  });

  it('a source that changes while it is read leaves nothing, and a second try works', async () => {
    const place = await stack.locate();
    await place.put('a.csv', text(CSV));
    await place.put('b.csv', text([CSV[0] ?? '']));
    const { build, model } = await stack.define(table([from('csv', place.name, '*.csv')]));
    const during = build();
    // Rows arrive between the look at the files and the end of reading.
    const append = setInterval(() => { appendFileSync(join(place.root, 'b.csv'), `${csvLine(row(100 + Math.floor(performance.now())))}\n`); }, 1);
    try {
      const error: unknown = await during.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'data/changed' });
      expect(String(error)).toMatch(/b\.csv was changed while it was read/);
    } finally {
      clearInterval(append);
    }
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    await writeFile(join(place.root, 'b.csv'), text([CSV[0] ?? '']));
    expect(await build()).toMatchObject({ blocked: false, rows: 40 });
  });
});
