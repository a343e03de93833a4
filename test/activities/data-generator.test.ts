import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { generateInChild } from '../../runtime/generate/host.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

type Table = Extract<Data, { kind: 'table' }>;
type Limits = { rows?: number; minutes?: number; memoryMb?: number };
const COLUMNS: Table['columns'] = ['n', { name: 'said', type: 'text', nullable: true }, { name: 'at', type: 'time' }];

const generated = (limits: Limits = {}, checks: Table['checks'] = {}): Table => ({
  kind: 'table', columns: COLUMNS, target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1, ...checks }, leakage: { acrossSplits: 'off', columns: 'off' },
  sources: [{ kind: 'generator', export: 'rows', key: 'id', split: { byGroup: { column: 'shop', train: 0.7, test: 0.3 } }, limits }],
});
const ROW = 'const row = (i) => ({ id: i, shop: `s${i % 50}`, outcome: i % 2 ? "yes" : "no", n: i / 3, said: i % 4 ? `text ${i}, "ü"` : null, at: new Date(1.7e12 + i * 1000) });';
const build = async (code: string, limits: Limits = {}, checks: Table['checks'] = {}) => (await stack.define(generated(limits, checks), undefined, `${ROW}\n${code}`)).build();

describe('a generator as a source', () => {
  it('gives the same snapshot as often as it gives the same rows, in whatever order, async or not', async () => {
    const { build: first, model } = await stack.define(generated(), undefined, `${ROW} export async function* rows() { for (let i = 0; i < 5000; i += 1) yield row(i); }`);
    const built = await first();
    expect(built).toMatchObject({ blocked: false, rows: 5_000, report: { findings: [] } });
    const { localShards } = await openSnapshot(stack.deps, built.digest);
    const [row] = await query(`select * exclude (split, attributes) from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}]) where key = '4'`);
    expect(row).toEqual({ key: '4', label: 'no', n: 4 / 3, said: null, at: '2023-11-14T22:13:24.000Z' });
    const again = await stack.define(generated(), model, `${ROW} export function* rows() { for (let i = 4999; i >= 0; i -= 1) yield row(i); }`);
    expect(await again.build()).toMatchObject({ digest: built.digest, reused: true });
  });

  it('has rows with other fields or values named by their number', async () => {
    const bad = `export function* rows() {
      for (let i = 0; i < 40; i += 1) yield row(i);
      yield { ...row(40), more: 1 }; const { said, ...few } = row(41); yield few; yield { ...row(42), n: NaN }; yield { ...row(43), n: -Infinity };
      yield { ...row(44), n: "12" }; yield { ...row(45), at: "soon" }; yield { ...row(46), at: null }; yield [1]; yield null; yield { ...row(49), id: null };
    }`;
    const { report, blocked } = await build(bad);
    expect(blocked).toBe(true);
    expect(report.findings.map(({ check, message, rows }) => [check, message, ...rows])).toEqual([
      ['wrong-shape', 'rows with fields that the definition does not name: more', 'rows() row 41'],
      ['wrong-shape', 'rows without the fields said', 'rows() row 42'],
      ['not-a-number', 'the column n has to be a finite number', 'rows() row 43', 'rows() row 44', 'rows() row 45'],
      ['wrong-type', expect.stringMatching(/^the column at has to be a time/), 'rows() row 46'],
      ['missing-value', 'the column at is not nullable, and has no value', 'rows() row 47'],
      ['wrong-shape', 'rows that are a list instead of an object of fields', 'rows() row 48'],
      ['wrong-shape', 'rows that are null instead of an object of fields', 'rows() row 49'],
      ['unreadable', 'rows without a key', 'rows() row 50'],
    ]);
    expect(await build(bad, {}, { unreadable: 'drop' })).toMatchObject({ blocked: false, rows: 40 });
  });

  it('is held up while its rows are stored', async () => {
    // 120 MB of rows: were they made as quickly as they can be, those that wait would pass the limit of the child's memory.
    const code = 'export function* rows() { for (let i = 0; i < 6000; i += 1) yield { id: i, said: String(i).padEnd(20000, "x") }; }';
    let taken = 0;
    await generateInChild({
      code: new TextEncoder().encode(code), export: 'rows', fields: [{ name: 'id', type: 'name', nullable: false }, { name: 'said', type: 'text', nullable: false }],
      limits: { rows: 10_000, minutes: 2, memoryMb: 150 }, signal: new AbortController().signal,
      onRows: ({ rows }) => { taken += rows; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); },
    });
    expect(taken).toBe(6_000);
  });
});

describe('a generator that does not come to its end', () => {
  const refusal = async (code: string, limits: Limits = {}) => {
    const { report, blocked, digest } = await build(code, limits);
    expect(blocked).toBe(true);
    expect(await stack.stores.snapshots.get(digest)).toBeNull();
    return report.findings[0];
  };

  it('because it throws is told with the team\'s stack', async () => {
    const finding = await refusal('export async function* rows() { yield row(1); await connect(); }\nasync function connect() { throw new TypeError("no answer"); }');
    expect(finding).toMatchObject({ check: 'source-failed', severity: 'block', rows: ['generator rows()'] });
    expect(finding?.message).toMatch(/^rows\(\) threw: TypeError: no answer\n {4}at connect \(definition\.mjs:3:\d+\)\n {4}at rows \(definition\.mjs:2:\d+\)/);
  });

  it('or is none, ends its process, gives too many rows, takes too long or too much memory, says so', async () => {
    expect((await refusal('export const rows = 3;'))?.message).toContain('exports no function rows');
    expect((await refusal('export const rows = () => 3;'))?.message).toContain('rows() has to be a generator');
    expect((await refusal('export function* rows() { for (let i = 0; ; i += 1) yield row(i); }', { rows: 500 }))?.message).toBe('rows() gives more rows than its limit of 500');
    expect((await refusal('export async function* rows() { yield row(1); await new Promise((go) => setTimeout(go, 1e6)); }', { minutes: 0.02 }))?.message).toContain('not done after 1.2 s');
    expect((await refusal('export function* rows() { const held = []; for (let i = 0; ; i += 1) held.push(new Array(1e6).fill(i)); }', { memoryMb: 150 }))?.message).toMatch(/memory/);
  });
});
