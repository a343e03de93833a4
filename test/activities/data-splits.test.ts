import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { ModelDefinition } from '../../definition/model.js';
import type { ModelDefinitionInput } from '../../definition/model.js';
import { splitOf } from '../../domain/stable-split.js';
import { generator } from '../support/random.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
type Split = Table['sources'][number]['split'];
interface Row { readonly id: string; readonly shop: string | null; readonly day: string | null; readonly n: number }

function rowsOf(seed: number, count: number, from = 0): Row[] {
  const next = generator(seed);
  return Array.from({ length: count }, (_, index) => ({
    id: `${seed}-${from + index}`, shop: `shop ${Math.floor(next() * 40)}`, day: new Date(Date.UTC(2024, 0, 1) + Math.floor(next() * 700) * 86_400_000).toISOString(), n: next(),
  }));
}

const csv = (rows: readonly Row[]) => `${['id,shop,day,outcome,n', ...rows.map(({ id, shop, day, n }) => `${id},${shop ?? ''},${day ?? ''},${Number(id.split('-').at(-1)) % 2 ? 'yes' : 'no'},${n}`)].join('\n')}\n`;

const table = (location: string, split: Split): Table => ({
  kind: 'table', columns: ['n'], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1, unreadable: 'drop' },
  sources: [{ kind: 'csv', location, path: '*.csv', key: 'id', split }],
});

/** The splits of a model's rows, by key, each time its files are what `files` says. */
async function splitting(split: Split) {
  const place = await stack.locate();
  const { model, build, request } = await stack.define(table(place.name, split));
  return {
    model, request,
    of: async (files: Readonly<Record<string, readonly Row[]>>) => {
      for (const [name, rows] of Object.entries(files)) await place.put(name, csv(rows));
      const built = await build();
      const { manifest, localShards } = await openSnapshot(stack.deps, built.digest);
      const rows = await query(`select key, split from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}])`);
      return { splits: new Map(rows.map(({ key, split: found }) => [String(key), String(found)])), manifest, report: built.report };
    },
  };
}

const SHARES = { train: 0.6, validation: 0.15, test: 0.25 };

describe.each([
  ['by key', { byKey: SHARES }],
  ['by group', { byGroup: { column: 'shop', ...SHARES } }],
  ['by boundaries of a time', { byTime: { column: 'day', validationFrom: '2025-02-01', testFrom: '2025-05-01T00:00:00+02:00' } }],
  ['by shares of a time', { byTime: { column: 'day', ...SHARES } }],
] satisfies [string, Split][])('rows that are divided %s', (_name, split) => {
  it('never move when rows are added, and are the same in files of another order', async () => {
    const [first, later] = [rowsOf(1, 300), rowsOf(2, 300)];
    const one = await splitting(split);
    const before = (await one.of({ 'b.csv': first })).splits;
    expect(new Set(before.values())).toEqual(new Set(['train', 'validation', 'test']));
    const after = await one.of({ 'a.csv': later });
    expect(after.splits.size).toBe(600);
    for (const [key, was] of before) expect(after.splits.get(key)).toBe(was);

    const other = await splitting(split);
    await other.of({ 'x.csv': first.toReversed() });
    const again = await other.of({ 'a.csv': later.toReversed().slice(0, 100), 'z.csv': later.toReversed().slice(100) });
    expect(again.manifest.content.shards).toEqual(after.manifest.content.shards);
  });
});

describe('rows that are divided by group', () => {
  it('are all on the side of their group, as the domain says; one without a group is named', async () => {
    const rows = [...rowsOf(3, 400), { id: 'lost', shop: null, day: null, n: 1 }];
    const { splits, report } = await (await splitting({ byGroup: { column: 'shop', ...SHARES } })).of({ 'a.csv': rows });
    expect(splits.size).toBe(400);
    for (const { id, shop } of rows.slice(0, 400)) expect(splits.get(id)).toBe(splitOf(shop ?? '', SHARES));
    expect(report.findings).toEqual([expect.objectContaining({ check: 'missing-value', severity: 'drop', message: 'rows without a value of shop that says their split', rows: ['lost (a.csv line 402)'] })]);
  });

  it('are divided alike whatever the format, by a column that the definition declares', async () => {
    const place = await stack.locate();
    await place.put('a.csv', `id,outcome,n,shop\n${Array.from({ length: 60 }, (_, i) => `c${i},${i % 2 ? 'yes' : 'no'},${i},${i % 10}.0`).join('\n')}\n`);
    await place.put('b.ndjson', Array.from({ length: 60 }, (_, i) => JSON.stringify({ id: `j${i}`, outcome: i % 2 ? 'yes' : 'no', n: i, shop: i % 10 })).join('\n'));
    const split = { byGroup: { column: 'shop', train: 0.5, test: 0.5 } };
    const { build } = await stack.define({ ...table(place.name, split), columns: ['n', 'shop'], sources: [
      { kind: 'csv', location: place.name, path: '*.csv', key: 'id', split }, { kind: 'ndjson', location: place.name, path: '*.ndjson', key: 'id', split },
    ] });
    const { localShards } = await openSnapshot(stack.deps, (await build()).digest);
    const sides = await query(`select shop, count(distinct split)::int as sides, count(*)::int as n from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}]) group by shop`);
    expect(sides).toHaveLength(10);
    for (const side of sides) expect(side).toMatchObject({ sides: 1, n: 12 });
  });
});

describe('rows that are divided by time', () => {
  const at = (id: string, day: string | null): Row => ({ id, shop: null, day, n: Number(id) });

  it('begin to judge at the boundary itself; a time that cannot be read is named', async () => {
    const rows = [at('1', '2024-12-31T23:59:59.999Z'), at('2', '2024-06-01'), at('3', '2025-01-01T01:00:00+01:00'), at('4', '2025-06-01'), at('5', 'soon')];
    const { splits, report } = await (await splitting({ byTime: { column: 'day', testFrom: '2025-01-01' } })).of({ 'a.csv': rows });
    expect(Object.fromEntries(splits)).toEqual({ 1: 'train', 2: 'train', 3: 'test', 4: 'test' });
    expect(report.findings).toContainEqual(expect.objectContaining({ check: 'missing-value', severity: 'drop', count: 1, rows: ['5 (a.csv line 6)'] }));
  });

  it('by shares, have boundaries that the first snapshot fixes, shown by the manifest and the run', async () => {
    const days = Array.from({ length: 10 }, (_, index) => at(String(index), new Date(Date.UTC(2025, 0, 1 + index)).toISOString()));
    const { of, model, request } = await splitting({ byTime: { column: 'day', train: 0.7, test: 0.3 } });
    const first = await of({ 'a.csv': days });
    expect([...first.splits].filter(([, split]) => split === 'test').map(([key]) => key).sort()).toEqual(['7', '8', '9']);
    const boundaries = [{ rule: expect.stringMatching(/^[0-9a-f]{64}$/) as string, column: 'day', sources: [0], validationFrom: null, testFrom: '2025-01-08T00:00:00.000Z' }];
    expect(first.manifest.boundaries).toEqual(boundaries);
    const second = await of({ 'b.csv': [at('10', '2026-01-01'), at('11', '2024-01-01'), at('12', '2025-01-07T23:00:00Z')] });
    expect(second.manifest.boundaries).toEqual(boundaries);
    expect(['10', '11', '12'].map((key) => second.splits.get(key))).toEqual(['test', 'train', 'train']);
    const notes = (await stack.stores.runs.events(request.run, 0)).filter(({ eventId }) => eventId === 'snapshot-boundaries-0');
    expect(notes[0]?.message).toBe('rows are divided by day: test from 2025-01-08T00:00:00.000Z');
    await expect(stack.stores.splitBoundaries.fix({ model, rule: first.manifest.boundaries?.[0]?.rule ?? '', validationFrom: null, testFrom: '2030-01-01T00:00:00.000Z' })).resolves.toEqual({ validationFrom: null, testFrom: '2025-01-08T00:00:00.000Z' });
  });
});

describe('a definition', () => {
  const problems = (data: Data) => ModelDefinition.safeParse({
    schema: 1, name: 'a', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test', data, network: { layers: [{ className: 'Dense', config: {} }] },
    training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, epochs: 1, batchSize: 8, seed: 1 }, evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
  } satisfies ModelDefinitionInput).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

  it('that divides by what is not there, or is no time, is refused', () => {
    const byShop = { byGroup: { column: 'shop', train: 0.8, test: 0.2 } };
    expect(problems({ kind: 'images', image: { height: 4, width: 4 }, target: { classes: ['a', 'b'] }, sources: [{ kind: 'image-folder', location: 'x', split: byShop }] })).toEqual(['data.sources.0.split: a split by name or `byKey`: pictures have no columns']);
    expect(problems({ ...table('x', 'train'), sources: [{ kind: 'labelled-predictions', split: byShop }] })).toEqual(['data.sources.0.split: one of the columns of this definition (n), since a prediction holds no other']);
    expect(problems(table('x', { byTime: { column: 'n', testFrom: '2025-01-01' } }))).toEqual(['data.sources.0.split: a column of type time; n is of type number']);
    expect(problems(table('x', { byTime: { column: 'day', validationFrom: '2025-02-01', testFrom: '2025-01-01' } })).join()).toContain('sources.0.split');
  });
});
