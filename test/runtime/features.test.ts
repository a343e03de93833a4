import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import type { Preprocessing } from '../../contract/package.js';
import type { Column } from '../../definition/columns.js';
import { Feature } from '../../definition/features.js';
import { ModelDefinition } from '../../definition/model.js';
import type { CellRow } from '../../domain/cells.js';
import { createFeatureMap } from '../../domain/features/apply.js';
import { hash32, wordsOf } from '../../domain/features/hash.js';
import { fitFeatures } from '../../runtime/data/fit-features.js';
import { createPreprocessor, signatureOf } from '../../runtime/preprocess.js';
import { tableDefinition } from './support/definitions.js';
import { writeSnapshot } from './support/snapshot.js';
import type { Row } from './support/snapshot.js';

interface Golden { train: CellRow[]; test: CellRow[]; hashes: Record<string, number>; cases: { feature: unknown; rows: number[][] }[] }
const golden = JSON.parse(readFileSync(new URL('golden/features.json', import.meta.url), 'utf8')) as Golden;

const COLUMNS: Column[] = [
  { name: 'age', type: 'number', nullable: true }, 'fare', 'same', 'class', { name: 'city', type: 'text', nullable: true },
  { name: 'note', type: 'text', nullable: false }, { name: 'alone', type: 'boolean', nullable: false }, { name: 'booked', type: 'time', nullable: true },
];
const place = (name: string) => COLUMNS.findIndex((column) => (typeof column === 'string' ? column : column.name) === name);

const folder = mkdtempSync(join(tmpdir(), 'perennial-features-'));
let written = 0;
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const rowsOf = (values: readonly CellRow[], split: Row['split']): Row[] => values.map((row, index) => ({ key: `${split}${1000 + index}`, split, label: index % 2 ? 'yes' : 'no', values: row }));
const snapshotOf = (rows: readonly Row[], columns = COLUMNS) => writeSnapshot(join(folder, `${written++}`), rows, { classes: ['no', 'yes'], columns });
const train = () => snapshotOf(rowsOf(golden.train, 'train'));

function apply(fitted: Preprocessing, rows: readonly CellRow[]): number[][] {
  const { width, apply: write } = createPreprocessor(fitted);
  const out = new Float32Array(rows.length * width);
  write(rows, 0, rows.length, out, 0);
  return rows.map((_, row) => [...out.subarray(row * width, (row + 1) * width)]);
}

describe('features, against scikit-learn and pandas', () => {
  const declared = golden.cases.map(({ feature }) => Feature.parse(feature));
  const found = (async () => {
    const fitted = await fitFeatures(await train(), declared, 1);
    return apply(fitted, golden.test);
  })();
  let from = 0;
  for (const { feature, rows } of golden.cases) {
    const [start, width] = [from, rows[0]?.length ?? 0];
    from += width;
    it(JSON.stringify(feature), async () => {
      const own = (await found).map((row) => row.slice(start, start + width));
      expect(own).toEqual(rows.map((row) => row.map((value) => expect.closeTo(value, 5) as unknown)));
    });
  }
  it('and give nothing besides', async () => { expect((await found)[0]).toHaveLength(from); });

  it('hash as their definition says, written down once more in Python', () => {
    for (const [text, value] of Object.entries(golden.hashes)) expect(hash32(text)).toBe(value);
    expect(wordsOf('Straße 5, ﬁne_or-not ÀB')).toEqual(['straße', '5', 'fine', 'or', 'not', 'àb']);
  });
});

describe('fitting', () => {
  it('uses the training rows alone: others may say what they like', async () => {
    const declared = golden.cases.map(({ feature }) => Feature.parse(feature));
    const strange = golden.test.map((): CellRow => [1e6, -1e6, 99, 42, 'Atlantis', 'words that nobody else has', true, '1970-01-01T00:00:00.000Z']);
    const alone = await fitFeatures(await train(), declared, 1);
    const beside = await fitFeatures(await snapshotOf([...rowsOf(golden.train, 'train'), ...rowsOf(strange, 'test'), ...rowsOf(strange, 'validation')]), declared, 1);
    expect(beside).toEqual(alone);
    const within = await fitFeatures(await snapshotOf([...rowsOf(golden.train, 'train'), ...rowsOf(strange, 'train').map((row) => ({ ...row, key: `x${row.key}` }))]), declared, 1);
    expect(within).not.toEqual(alone);
  });

  it('gives a column of which nothing is declared, or a cross only, the default of its type', async () => {
    const fitted = await fitFeatures(await train(), [Feature.parse({ kind: 'cross', of: [{ column: 'city' }, { column: 'alone' }] }), Feature.parse({ kind: 'length', column: 'note' })], 1);
    expect(fitted.kind === 'columns' && fitted.features.map((feature) => [feature.kind, feature.kind === 'cross' ? feature.of.length : feature.column])).toEqual([
      ['number', 'age'], ['number', 'fare'], ['number', 'same'], ['number', 'class'], ['category', 'city'], ['number', 'alone'],
      ['time', 'booked'], ['time', 'booked'], ['time', 'booked'], ['time', 'booked'], ['missing', 'booked'], ['cross', 2], ['length', 'note'],
    ]);
  });

  it('of a column that is missing everywhere gives zeros, and says so', async () => {
    const columns: Column[] = [{ name: 'n', type: 'number', nullable: true }, { name: 'c', type: 'text', nullable: true }, { name: 't', type: 'time', nullable: true }];
    const fitted = await fitFeatures(await snapshotOf(rowsOf([[null, null, null], [null, null, null]], 'train'), columns), undefined, 1);
    expect(apply(fitted, [[null, null, null]])[0]).toEqual([0, 1, 0, 1, ...Array<number>(7).fill(0), 1]);
    for (const row of apply(fitted, [[3, 'seen never', '2026-01-31T08:00:00.000Z']])) for (const value of row) expect(Number.isFinite(value)).toBe(true);
  });

  it('is refused where the network would get no input, or more than it can hold', async () => {
    const text: Column[] = [{ name: 'c', type: 'text', nullable: false }];
    const rows = await snapshotOf(rowsOf([['a'], ['b']], 'train'), text);
    await expect(fitFeatures(rows, [Feature.parse({ kind: 'category', column: 'c', unknown: 'zeros', minimumFrequency: 5 })], 1)).rejects.toMatchObject({ code: 'data/blocked', message: expect.stringMatching(/no input/) as string });
    await expect(fitFeatures(rows, [0, 1].map(() => Feature.parse({ kind: 'words', column: 'c', buckets: 16_384 })), 1)).rejects.toMatchObject({ code: 'data/blocked', message: expect.stringMatching(/32768 inputs, more than 16384/) as string });
  });
});

describe('a value of the edge', () => {
  const of = (feature: unknown, cell: CellRow[number]) => {
    const { names, write } = createFeatureMap(['x'], [feature as Parameters<typeof createFeatureMap>[1][number]]);
    const out = new Float32Array(names.length);
    write([cell], out, 0);
    return [...out];
  };
  const category = { kind: 'category', column: 'x', categories: ['a', 'b'], fill: null };

  test.each([
    ['a known category is one of them', { ...category, unknown: 'bucket', missing: true }, 'b', [0, 1, 0, 0]],
    ['an unknown one has a place of its own', { ...category, unknown: 'bucket', missing: true }, 'B', [0, 0, 1, 0]],
    ['or none', { ...category, unknown: 'zeros', missing: true }, 'B', [0, 0, 0]],
    ['a missing one is not unknown', { ...category, unknown: 'bucket', missing: true }, null, [0, 0, 0, 1]],
    ['filled in, it is both what it was filled with and missing', { ...category, unknown: 'zeros', fill: 'a', missing: true }, null, [1, 0, 1]],
    ['filled in with what training did not see, it is unknown', { ...category, unknown: 'bucket', fill: 'z', missing: false }, null, [0, 0, 1]],
    ['a category may be called as a property of objects', { ...category, unknown: 'zeros', missing: false }, 'constructor', [0, 0]],
    ['below the first edge', { kind: 'bucket', column: 'x', edges: [0, 10], missing: false }, -1e300, [1, 0, 0]],
    ['an edge belongs to what is above it', { kind: 'bucket', column: 'x', edges: [0, 10], missing: false }, 10, [0, 0, 1]],
    ['just below an edge', { kind: 'bucket', column: 'x', edges: [0, 10], missing: false }, 9.999999999999998, [0, 1, 0]],
    ['a missing number is in no bucket', { kind: 'bucket', column: 'x', edges: [0, 10], missing: true }, null, [0, 0, 0, 1]],
    ['an empty text has length 0', { kind: 'length', column: 'x', offset: 0, scale: 1 }, '', [0]],
    ['an emoji counts once', { kind: 'length', column: 'x', offset: 0, scale: 1 }, '😀', [1]],
    ['no words', { kind: 'words', column: 'x', buckets: 3 }, ' –! ', [0, 0, 0]],
    ['a part of a missing time is 0, sine and cosine', { kind: 'time', column: 'x', part: 'hour', cyclic: true, offset: 0, scale: 1 }, null, [0, 0]],
    ['Sunday is the last day of the week', { kind: 'time', column: 'x', part: 'weekday', cyclic: false, offset: 0, scale: 1 }, '2026-11-22T23:59:59.999Z', [Math.fround(6 / 7)]],
  ])('%s', (_what, feature, cell, expected) => { expect(of(feature, cell)).toEqual(expected); });

  test('whatever the values are, one-hot numbers are 0 or 1, and at most one of them is 1', () => {
    let state = 7;
    const random = () => (state = hash32(`${state}`)) / 2 ** 32;
    const cells = () => [null, random() * 100 - 50, Math.round(random() * 5), -0, 1e308][Math.floor(random() * 5)] ?? null;
    const features = [
      { kind: 'category' as const, column: 'x', categories: ['0', '1', '2'], unknown: 'bucket' as const, fill: null, missing: true },
      { kind: 'bucket' as const, column: 'x', edges: [-20, 0, 3.5], missing: true },
      { kind: 'cross' as const, of: [{ column: 'x', edges: [0] }, { column: 'y' }], buckets: 8 },
    ];
    const { names, write } = createFeatureMap(['x', 'y'], features);
    expect(names).toHaveLength(5 + 5 + 8);
    for (let round = 0; round < 2000; round += 1) {
      const out = new Float32Array(names.length).fill(NaN);
      write([cells(), cells()], out, 0);
      for (const [from, to] of [[0, 5], [5, 10], [10, 18]] as const) {
        const part = [...out.subarray(from, to)];
        expect(part.filter((value) => value !== 0 && value !== 1)).toEqual([]);
        expect(part.reduce((sum, value) => sum + value, 0)).toBe(1);
      }
    }
  });
});

describe('a category that the model refuses', () => {
  const refusing = Feature.parse({ kind: 'category', column: 'city', unknown: 'refuse' });

  test('is named, and the signature tells which it takes', async () => {
    const fitted = await fitFeatures(await train(), [refusing], 1);
    const { problemOf } = createPreprocessor(fitted);
    const [row = []] = golden.train;
    expect(problemOf(row)).toBeNull();
    const atlantis = row.map((cell, index) => (index === place('city') ? 'Atlantis' : cell));
    expect(problemOf(atlantis)).toBe('column city: "Atlantis" is a category that the model does not know');
    expect(signatureOf(fitted, 'columns', { name: 'label', classes: ['no', 'yes'] }).inputs.find(({ name }) => name === 'city')).toEqual({ name: 'city', datatype: 'BYTES', shape: [1], type: 'text', nullable: true, allowed: ['Graz', 'Linz', 'Ulm', 'Wien', 'Žďár'] });
  });
});

describe('a package of before columns had types', () => {
  test('gives the numbers that it gave then, to the last bit', () => {
    const columns = [{ name: 'a', offset: 1050.25, scale: 0.1 }, { name: 'b', offset: -3.3, scale: 7 }];
    const { shape, apply: write } = createPreprocessor({ kind: 'table', columns });
    expect(shape).toEqual([2]);
    const rows = Array.from({ length: 500 }, (_, row) => [1000 + row / 7, Math.sin(row) * 1e5]);
    const out = new Float32Array(rows.length * 2);
    write(rows, 0, rows.length, out, 0);
    const raw = Float32Array.from(rows.flat());
    expect([...out]).toEqual([...Float32Array.from(raw, (value, index) => (value - (columns[index % 2]?.offset ?? 0)) * (columns[index % 2]?.scale ?? 0))]);
  });
});

describe('a definition', () => {
  const { data, ...rest } = tableDefinition(['age']);
  const problems = (features: unknown[]) => {
    const parsed = ModelDefinition.safeParse({ ...rest, data: { ...data, columns: COLUMNS, features } });
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  test.each([
    [{ kind: 'number', column: 'agee' }, /data\.features\.0: .*of which agee is none/],
    [{ kind: 'number', column: 'city' }, /a column of type number, boolean; city is of type text/],
    [{ kind: 'time', column: 'age' }, /a column of type time; age is of type number/],
    [{ kind: 'cross', of: [{ column: 'city', edges: [1] }, { column: 'alone' }] }, /of\.0\.edges: edges of a column of numbers/],
    [{ kind: 'category', column: 'city', unknown: 'refuse', minimumFrequency: 2 }, /minimumFrequency: 1: what is rare/],
    [{ kind: 'bucket', column: 'age' }, /either `quantiles` or `edges`/],
    [{ kind: 'bucket', column: 'age', edges: [2, 1] }, /edges that increase/],
    [{ kind: 'number', column: 'age', impute: { with: 'constant' } }, /a value with `constant`/],
    [{ kind: 'number', column: 'fare', impute: { with: 'median' } }, /impute: nothing: the column is not nullable/],
  ])('%o is refused', (feature, message) => { expect(problems([feature]).join('\n')).toMatch(message); });

  test('with features that fit is taken', () => { expect(problems(golden.cases.map(({ feature }) => feature))).toEqual([]); });
});
