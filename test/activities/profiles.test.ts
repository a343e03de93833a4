import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuck } from '../../activities/data/duckdb.js';
import { inferTable, profileInferred } from '../../activities/data/profile/infer.js';
import { profilePage } from '../../activities/data/profile/page.js';
import { schemaOf, schemaText } from '../../activities/data/profile/schema-text.js';
import { profileText } from '../../cli/profile-text.js';
import { ProfileSummary, SnapshotProfile } from '../../contract/data-profile.js';
import { expect as expects } from '../../definition/index.js';
import { expectationsText } from '../../domain/profile/suggest-text.js';
import { suggestionsOf } from '../../domain/profile/suggest.js';
import { summarize } from '../../domain/profile/summary.js';
import { createDataStack, pixels, png, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
type Place = Awaited<ReturnType<DataStack['locate']>>;

/** Customers: an age, a fare that may be missing, a city, a note, a membership and a time. */
const customers = (rows: number, from = 0) => `select 'customer-' || i as id, case when (i * 7) % 10 < 4 then 'leaves' else 'stays' end as label,
  (18 + (i * 37) % 60)::double as age, case when i % 9 = 0 then null else sqrt(i) * 3.5 end as fare, ['Graz', 'Wien', 'Linz'][1 + (i * 5) % 3] as city,
  'note number ' || i as note, i % 3 = 0 as member, timestamp '2026-01-01 08:00:00' + interval (i) minute as seen from range(${from}, ${from + rows}) r(i)`;
const COLUMNS: Table['columns'] = ['age', { name: 'fare', type: 'number', nullable: true }, { name: 'city', type: 'text' }, { name: 'note', type: 'text' }, { name: 'member', type: 'boolean' }, { name: 'seen', type: 'time' }];

const table = (place: Place, more: Partial<Table> = {}): Table => ({
  kind: 'table', columns: COLUMNS, target: { name: 'label', classes: ['leaves', 'stays'] }, checks: { minimumRowsPerClass: 2 }, leakage: { columns: 'off' }, // the last digit of the age says the label
  sources: [
    { kind: 'parquet', location: place.name, path: 'train.parquet', key: 'id', split: 'train' },
    { kind: 'parquet', location: place.name, path: 'test.parquet', key: 'id', split: 'test' },
  ],
  ...more,
});

async function copy(place: Place, file: string, sql: string): Promise<void> {
  await query(`copy (${sql}) to '${join(place.root, file)}' (format parquet)`);
}

async function filled(): Promise<Place> {
  const place = await stack.locate();
  await copy(place, 'train.parquet', customers(1_500));
  await copy(place, 'test.parquet', customers(300, 1_500));
  return place;
}

async function stored(digest: string) {
  const refs = (await stack.stores.snapshots.get(digest))?.profile;
  if (!refs) throw new Error(`snapshot ${digest} has no profile`);
  const read = async (ref: typeof refs.data) => new TextDecoder().decode(await stack.artifacts.get(ref));
  return { data: SnapshotProfile.parse(JSON.parse(await read(refs.data))), summary: ProfileSummary.parse(JSON.parse(await read(refs.json))), html: await read(refs.html) };
}

describe('a snapshot of a table', () => {
  it('has a profile that says what DuckDB says of its rows', async () => {
    const place = await filled();
    const { digest } = await (await stack.define(table(place))).build();
    const { summary, html } = await stored(digest);
    const all = `(${customers(1_800)})`;
    const [expected = {}] = await query(`select count(fare) as fares, avg(age) as mean, stddev_samp(age) as deviation, max(fare) as most, corr(age, fare) as correlation, epoch_ms(min(seen)) as first from ${all}`);
    const column = (name: string) => summary.columns.find((one) => one.name === name);
    expect(summary).toMatchObject({ kind: 'table', rows: 1_800, target: { name: 'label', classes: [{ name: 'leaves', rows: 720 }, { name: 'stays', rows: 1_080 }] } });
    expect(column('fare')).toMatchObject({ missing: 200, present: Number(expected['fares']), numbers: { maximum: expected['most'] } });
    expect(column('age')?.numbers?.mean).toBeCloseTo(Number(expected['mean']), 9);
    expect(column('age')?.numbers?.standardDeviation).toBeCloseTo(Number(expected['deviation']), 9);
    expect(summary.correlations.values[0]?.[1]).toBeCloseTo(Number(expected['correlation']), 9);
    expect(column('city')).toMatchObject({ distinct: 3, distinctExact: true, values: [{ count: 600 }, { count: 600 }, { count: 600 }] });
    expect(column('member')).toMatchObject({ type: 'boolean', values: [{ value: 'false', count: 1_200 }, { value: 'true', count: 600 }] });
    expect(column('seen')?.numbers?.minimum).toBe(Number(expected['first']));
    expect(column('note')?.distinct).toBeGreaterThan(1_600);
    for (const shown of ['Missing values', 'fare', '<svg class="chart"', 'Correlations of pairs', 'prefers-color-scheme:dark']) expect(html).toContain(shown);
    expect(html).not.toMatch(/<script|src="http/);
    expect(profileText('customers', summary)).toMatch(/fare +number +11\.1%/);
  });

  it('takes the profile of a shard that stays from the snapshot before', async () => {
    const place = await filled();
    const first = await stack.define(table(place));
    const before = await stored((await first.build()).digest);
    await copy(place, 'train.parquet', `select * replace (age + 100 as age) from (${customers(1_500)})`);
    const built = await (await stack.define(table(place), first.model)).build();
    const after = await stored(built.digest);
    const [train, test] = [0, 1].map((index) => [before, after].map(({ data }) => data.parts[index]?.profile.sha256));
    expect(train?.[0]).not.toBe(train?.[1]);
    expect(test?.[0]).toBe(test?.[1]);
    const mean = ({ summary }: typeof before) => summary.columns[0]?.numbers?.mean ?? NaN;
    expect(mean(after) - mean(before)).toBeCloseTo(100 * 1_500 / 1_800, 9);
  });

  it('meets every expectation that its profile suggests', async () => {
    const place = await filled();
    const first = await stack.define(table(place));
    const { summary } = await stored((await first.build()).digest);
    const suggestions = suggestionsOf(summary);
    const text = expectationsText(suggestions);
    for (const line of ['expect.type(\'age\', \'integer\')', 'expect.inSet(\'city\', [\'Graz\', \'Linz\', \'Wien\'], { severity: \'warn\' })', 'expect.between(\'seen\', { min: \'2026-01-01T00:00:00.000Z\' })', 'expect.missingShare(\'fare\', {']) expect(text).toContain(line);
    // As pasted: what the text calls is what was suggested.
    const pasted = runInThisContext(`(expect) => ({\n${text}\n})`) as (vocabulary: typeof expects) => { expectations: unknown };
    expect(pasted(expects).expectations).toEqual(suggestions.map((one) => JSON.parse(JSON.stringify(one)) as unknown));
    const again = await (await stack.define(table(place, { expectations: suggestions }), first.model)).build();
    expect(again.report.expectations?.length).toBe(suggestions.length);
    expect(again.report.expectations?.filter(({ passed }) => !passed)).toEqual([]);
  });
});

describe('a snapshot that follows another', () => {
  async function following(comparison: Table['comparison'], sql: string) {
    const place = await filled();
    const first = await stack.define(table(place, comparison ? { comparison } : {}));
    const before = await first.build();
    await copy(place, 'train.parquet', sql);
    return { before, after: await first.build(), model: first.model };
  }
  const older = `select * replace (age + 30 as age) from (${customers(1_500)})`;

  it('is compared where the definition asks for it: a shift that blocks is named, and nothing is kept', async () => {
    const { before, after, model } = await following({ shift: { severity: 'block' } }, older);
    expect(before.report.comparison).toBeUndefined();
    expect(after).toMatchObject({ blocked: true, report: { blocked: true, comparison: { previous: before.digest } } });
    expect(after.report.findings).toMatchObject([{ check: 'changed', severity: 'block', rows: ['age'], message: expect.stringMatching(/the distribution of age moved by 0\.\d+ \(Kolmogorov-Smirnov\), its median is \d+ after 4\d/) as string }]);
    expect((await stack.stores.snapshots.listFor(model)).map(({ digest }) => digest)).toEqual([before.digest]);
  });

  it('is kept where a shift is only reported, and is compared with nothing unless it is asked for', async () => {
    const { before, after } = await following({}, older);
    expect(after).toMatchObject({ blocked: false, report: { findings: [{ check: 'changed', severity: 'warn' }], comparison: { previous: before.digest } } });
    expect((await following(undefined, older)).after).toMatchObject({ blocked: false, report: { findings: [] } });
    expect((await following({}, customers(1_490))).after.report.findings).toEqual([]);
  });
});

it('a snapshot of pictures has a profile with brightness, channels and examples of each class', async () => {
  const place = await stack.locate();
  for (let number = 0; number < 40; number += 1) {
    const [label, split] = [number % 2 ? 'truck' : 'car', number < 30 ? 'train' : 'test'];
    await place.put(`${split}/${label}/${number}.png`, png(label === 'car' ? pixels(number) : pixels(number).map((value) => value >> 2)));
  }
  const { build } = await stack.define({
    kind: 'images', image: { height: 4, width: 4 }, target: { classes: ['car', 'truck'] }, checks: { minimumRowsPerClass: 1 },
    sources: (['train', 'test'] as const).map((split) => ({ kind: 'image-folder' as const, location: place.name, path: split, split })),
  });
  const { summary, html } = await stored((await build()).digest);
  expect(summary.columns.map(({ name }) => name)).toEqual(['brightness', 'contrast', 'red', 'green', 'blue', 'bytes']);
  const values = Array.from({ length: 40 }, (_, number) => { const all = pixels(number).map((value) => (number % 2 ? value >> 2 : value)); return all.reduce((sum, value) => sum + value, 0) / all.length; });
  expect(summary.columns[0]?.numbers?.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 40, 9);
  expect(summary.columns[0]?.association?.value).toBeGreaterThan(0.9);
  expect(summary.examples.map((one) => one.class)).toEqual(['car', 'car', 'car', 'car', 'truck', 'truck', 'truck', 'truck']);
  expect(html).toContain('an example of truck');
  expect(suggestionsOf(summary)).toEqual([]);
});

describe('the schema of files', () => {
  let folder: string;
  beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'perennial-schema-')); });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What `perennial schema` prints of a file in a location, and what of it a definition takes. */
  async function schema(path: string, target: string | null) {
    const work = await mkdtemp(join(folder, 'work-'));
    const duck = await openDuck(work);
    try {
      const inferred = await inferTable(duck, [path], work, new AbortController().signal);
      const summary = summarize(await profileInferred(duck, inferred, target, new AbortController().signal));
      const text = schemaText(schemaOf(inferred, summary, target), inferred, summary, target, path);
      return { text, summary, inferred };
    } finally {
      duck.close();
    }
  }

  it.each(['csv', 'parquet', 'ndjson'] as const)('of %s is accepted at intake as it is printed', async (kind) => {
    const place = await stack.locate();
    const file = join(place.root, `rows.${kind}`);
    const rows = `select *, lpad((i % 50)::varchar, 5, '0') as zip, i as "group size" from (select row_number() over () as i, * from (${customers(400)}))`;
    // Text says in which zone a time is; Parquet has a type for it.
    const seen = kind === 'parquet' ? 'seen' : 'strftime(seen, \'%Y-%m-%dT%H:%M:%SZ\')';
    await query(`copy (select * exclude (i) replace (${seen} as seen) from (${rows})) to '${file}' (format ${kind === 'ndjson' ? 'json' : kind})`);
    const { text, inferred } = await schema(file, 'label');
    expect(inferred.columns.find(({ name }) => name === 'zip')?.type).toBe('text');
    expect(text).toContain('\'age\', // 18 to 77, whole numbers');
    expect(text).toContain('{ name: \'fare\', type: \'number\', nullable: true }, // 3.5 to');
    expect(text).toContain('// \'group size\': a column\'s name has letters');
    expect(text).toContain('target: { name: \'label\', classes: [\'leaves\', \'stays\'] }');
    const { data } = runInThisContext(`({\n${text}\n})`) as { data: Table };
    expect(data.columns).toEqual([...COLUMNS.slice(0, 6).map((column) => (typeof column === 'string' ? column : { nullable: false, ...column })), { name: 'zip', type: 'text', nullable: false }]);
    data.sources = data.sources.map((source) => ({ ...source, location: place.name } as typeof source));
    const built = await (await stack.define({ ...data, checks: { minimumRowsPerClass: 2 }, leakage: { columns: 'off' } })).build();
    expect(built).toMatchObject({ blocked: false, rows: 400, report: { findings: [] } });
  });

  it('tells numbers, booleans and times from text, and what is missing', async () => {
    const file = join(folder, 'mixed.csv');
    await writeFile(file, 'id,flag,when,mixed,empty,score\n1,true,2026-01-02,1,,0.5\n2,false,2026-01-03,x,,\n3,true,,3,,1.5\n');
    const { inferred, summary } = await schema(file, null);
    expect(inferred.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ['id', 'number', false], ['flag', 'boolean', false], ['when', 'time', true], ['mixed', 'text', false], ['empty', 'text', true], ['score', 'number', true],
    ]);
    const page = profilePage('mixed.csv', summary);
    await writeFile(join(folder, 'page.html'), page);
    expect(await readFile(join(folder, 'page.html'), 'utf8')).toContain('<h3>score</h3>');
    await expect(schema(join(folder, 'mixed.xls'), null)).rejects.toThrow(/not the name of a CSV/);
  });
});
