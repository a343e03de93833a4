import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import type { ModelDefinitionInput } from '../../definition/model.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';
import { useFeatures } from './support/features.js';
import { generator } from '../support/random.js';

let stack: DataStack;
let features: ReturnType<typeof useFeatures>;
beforeAll(async () => {
  stack = await createDataStack();
  features = useFeatures(stack);
});
afterAll(async () => { await stack.close(); });

type Table = Extract<Data, { kind: 'table' }>;
type Source = ModelDefinitionInput['data']['sources'][number];
const DAY = 86_400_000_000;
const START = Date.UTC(2026, 0, 1) * 1000;
/** Microseconds since 1970 as text. */
const text = (us: number) => `${new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
const instant = (us: number) => new Date(us / 1000).toISOString();

async function rowsOf(digest: string): Promise<Map<string, Record<string, unknown>>> {
  const { localShards } = await openSnapshot(stack.deps, digest);
  const rows = await query(`select * from read_parquet([${localShards.map(({ path }) => `'${path}'`).join(', ')}])`);
  return new Map(rows.map((row) => [String(row['key']), row]));
}

const table = (view: string, sources: Source[], more: Partial<Table> = {}): Table => ({
  kind: 'table', columns: ['own', { name: 'n', type: 'number', nullable: true }, { name: 'at', type: 'text', nullable: true }],
  views: [{ view, key: { customer: 'who' }, columns: ['n', { column: 'stamp', as: 'at' }] }],
  target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 }, leakage: { acrossSplits: 'off', columns: 'off' }, sources, ...more,
});
const split = { byKey: { train: 0.7, test: 0.3 } };

interface Event { customer: string; event: number; arrives: number; n: number }

describe('a training set', () => {
  it.each([1, 2, 3])('holds what was known of each key at each row\'s time, and nothing of later (seed %i)', async (seed) => {
    const draw = generator(seed);
    const whole = (below: number) => Math.floor(draw() * below);
    // Few events of each, so that what came late, was corrected or is too old often is the newest that there is.
    const customers = ['ölaf', '', ...Array.from({ length: 20 }, (_, index) => `c-${index}`)];
    const [ttlDays, checkpoints] = [1 + whole(20), Array.from({ length: 4 }, (_, index) => START + (index + 1) * 10 * DAY)];
    // Times meet often, so that the borders are tried: on whole hours, and a microsecond beside them.
    const time = () => START + whole(40 * 24) * 3_600_000_000 + whole(3) - 1;
    const seen = new Set<string>();
    const events: Event[] = Array.from({ length: 150 }, (_, n) => {
      const event = time();
      return { customer: customers[whole(20)] ?? '', event, arrives: event + (draw() < 0.4 ? whole(9 * 24) * 3_600_000_000 : 0), n };
    }).filter(({ customer, event }) => !seen.has(`${customer} ${event}`) && seen.add(`${customer} ${event}`));
    const corrected = events.filter(() => draw() < 0.2).map((event) => ({ ...event, arrives: event.arrives + whole(9 * 24) * 3_600_000_000, n: event.n + 1000 }));

    // The source as it stands at each materialisation, and what an observer notes of it.
    const place = await stack.locate();
    const view = await features.define({ source: { kind: 'parquet', location: place.name, path: 'source.parquet' }, ttl: `${ttlDays}d`, overlap: '60d', columns: ['n', { name: 'stamp', type: 'text' }], timestamp: 'event' });
    const noted: { customer: string; event: number; known: number; n: number }[] = [];
    for (const [index, now] of checkpoints.entries()) {
      const visible = new Map<string, Event>();
      for (const one of [...events, ...corrected].sort((a, b) => a.arrives - b.arrives)) if (one.arrives <= now && one.event <= now) visible.set(`${one.customer} ${one.event}`, one);
      const values = [...visible.values()].map(({ customer, event, n }) => `('${customer}', make_timestamp(${event}), ${n}, '${text(event)}')`);
      await query(`copy (select * from (values ${values.join(', ')}) t(customer, event, n, stamp)) to '${join(place.root, 'source.parquet')}' (format parquet)`);
      await view.materialise(instant(now));
      for (const { customer, event, n } of visible.values()) {
        const before = noted.filter((one) => one.customer === customer && one.event === event).at(-1);
        if (before?.n === n) continue;
        const late = index > 0 && event <= (checkpoints[index - 1] ?? 0);
        noted.push({ customer, event, n, known: before || late ? now : event });
      }
    }

    const rows = Array.from({ length: 300 }, (_, index) => ({ id: `r-${index}`, who: customers[whole(22)] ?? '', at: time() }));
    await query(`copy (select * from (values ${rows.map(({ id, who, at }, index) => `('${id}', '${who}', '${text(at)}', ${index}, '${index % 2 ? 'yes' : 'no'}')`).join(', ')}) t(id, who, asked, own, outcome)) to '${join(place.root, 'rows.csv')}' (format csv, header)`);
    await place.put('rows.csv', await (await import('node:fs/promises')).readFile(join(place.root, 'rows.csv')));
    const built = await (await stack.define(table(view.view.name, [{ kind: 'csv', location: place.name, path: 'rows.csv', key: 'id', nulls: ['-'], eventTime: 'asked', split }]))).build();
    expect(built.report.findings.filter(({ severity }) => severity === 'block')).toEqual([]);
    const joined = await rowsOf(built.digest);
    let values = 0;
    for (const { id, who, at } of rows) {
      const known = noted.filter((one) => one.customer === who && one.known <= at).sort((a, b) => a.event - b.event || a.known - b.known).at(-1);
      const expected = known && known.event >= at - ttlDays * DAY ? known : null;
      const row = joined.get(id);
      expect({ id, n: row?.['n'], at: row?.['at'] }).toEqual({ id, n: expected?.n ?? null, at: expected ? text(expected.event) : null });
      if (typeof row?.['at'] === 'string') {
        values += 1;
        expect(row['at'] <= text(at), `${id} sees ${row['at']} at ${text(at)}`).toBe(true);
      }
    }
    expect(values).toBeGreaterThan(10);
  });

  it('is the same whatever form the rows have, with several views, keys of several columns and values of every type', async () => {
    const place = await stack.locate();
    await query(`copy (select 'c' || (i % 3) as customer, (i % 2)::double as shop, timestamp '2026-01-01' + i * interval '1 day' as at, 0.1 + i as n, case when i % 4 > 0 then 'text ' || i || ', "ü"' end as said, i % 2 = 0 as flag,
      timestamp '2026-03-29 02:30:00.123' as moment, (9007199254740993 + i)::varchar as big from range(12) t(i)) to '${join(place.root, 'source.parquet')}' (format parquet)`);
    const source = { kind: 'parquet', location: place.name, path: 'source.parquet' } as const;
    const [one, two] = [
      await features.define({ source, columns: ['n', { name: 'said', type: 'text', nullable: true }, { name: 'big', type: 'text' }] }),
      await features.define({ source, entity: [{ name: 'customer', type: 'text' }, { name: 'shop', type: 'number' }], columns: [{ name: 'flag', type: 'boolean' }, { name: 'moment', type: 'time' }] }),
    ];
    for (const view of [one, two]) await view.materialise('2026-02-01T00:00:00.000Z');
    const rows = `select 'r' || i as id, 'c' || (i % 3) as who, (i % 2)::double as place, strftime(timestamp '2026-01-01' + i * interval '1 day', '%Y-%m-%dT%H:%M:%SZ') as asked, case when i % 2 = 0 then 'no' else 'yes' end as outcome from range(12) t(i)`;
    await query(`copy (${rows}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    await query(`copy (${rows}) to '${join(place.root, 'rows.csv')}' (format csv, header)`);
    await query(`copy (${rows}) to '${join(place.root, 'rows.jsonl')}' (format json)`);
    const nullable = (name: string, type: 'number' | 'text' | 'boolean' | 'time') => ({ name, type, nullable: true });
    const data = (own: Source): Table => ({
      kind: 'table', columns: [nullable('n', 'number'), nullable('said', 'text'), nullable('big', 'text'), nullable('flag', 'boolean'), nullable('moment', 'time')], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 1 }, leakage: { acrossSplits: 'off', columns: 'off' },
      views: [{ view: one.view.name, key: { customer: 'who' }, columns: ['n', 'said', 'big'] }, { view: two.view.name, key: { customer: 'who', shop: 'place' }, columns: ['flag', 'moment'] }], sources: [own],
    });
    const common = { key: 'id', eventTime: 'asked', split };
    const code = `export function* rows() { for (let i = 0; i < 12; i += 1) yield { id: 'r' + i, who: 'c' + (i % 3), place: i % 2, asked: new Date(Date.UTC(2026, 0, 1 + i)), outcome: i % 2 === 0 ? 'no' : 'yes' }; }`;
    const { build, model } = await stack.define(data({ kind: 'parquet', location: place.name, path: 'rows.parquet', ...common }));
    const first = await build();
    expect(first).toMatchObject({ blocked: false, rows: 12, reused: false });
    for (const own of [{ kind: 'csv', location: place.name, path: 'rows.csv', ...common }, { kind: 'ndjson', location: place.name, path: 'rows.jsonl', ...common }, { kind: 'generator', export: 'rows', ...common }] satisfies Source[]) {
      expect((await (await stack.define(data(own), model, code)).build()).digest, own.kind).toBe(first.digest);
    }
    expect((await rowsOf(first.digest)).get('r5')).toMatchObject({ n: 5.1, said: 'text 5, "ü"', big: '9007199254740998', flag: false, moment: '2026-03-29T02:30:00.123Z' });
    expect((await rowsOf(first.digest)).get('r4')).toMatchObject({ n: 4.1, said: null });
  });

  it('changes when the view does, and only then', async () => {
    const place = await stack.locate();
    await query(`copy (select 'ada' as customer, timestamp '2026-01-01' as at, 1.0::double as n, 'x' as stamp) to '${join(place.root, 'source.parquet')}' (format parquet)`);
    const view = await features.define({ source: { kind: 'parquet', location: place.name, path: 'source.parquet' }, columns: ['n', { name: 'stamp', type: 'text' }] });
    await place.put('rows.csv', Array.from({ length: 20 }, (_, index) => `r${index},ada,2026-01-0${2 + (index % 5)}T00:00:00Z,${index},${index % 2 ? 'yes' : 'no'}`).join('\n').replace(/^/, 'id,who,asked,own,outcome\n'));
    const { build } = await stack.define(table(view.view.name, [{ kind: 'csv', location: place.name, path: 'rows.csv', key: 'id', eventTime: 'asked', split }]));
    await expect(build()).rejects.toMatchObject({ code: 'features/not-ready', retryable: true });
    await view.materialise('2026-02-01T00:00:00.000Z');
    const first = await build();
    await view.materialise('2026-02-02T00:00:00.000Z');
    const used = [{ view: view.view.name, digest: view.digest, commit: (await stack.stores.featureViews.current(view.view.name))?.commit, generation: 1, asOf: '2026-02-01T00:00:00.000Z' }];
    expect(await stack.stores.featureStores.usesOf(first.digest)).toEqual(used);
    expect(await build()).toMatchObject({ digest: first.digest, reused: true });
    await query(`copy (select * from (values ('ada', timestamp '2026-01-01', 1.0::double, 'x'), ('ada', timestamp '2026-01-04', 4.0::double, 'y')) t(customer, "at", n, stamp)) to '${join(place.root, 'source.parquet')}' (format parquet)`);
    await view.materialise('2026-02-03T00:00:00.000Z', { full: true });
    // It came late: no row of January could have known it.
    expect(await build()).toMatchObject({ digest: first.digest });
    expect(await stack.stores.featureStores.usesOf(first.digest)).toEqual(used);
  });

  it('cannot be made of rows without a time, of a view that is not there, or whose columns are others', async () => {
    const place = await stack.locate();
    await query(`copy (select 'ada' as customer, timestamp '2026-01-01' as at, 1.0::double as n, 'x' as stamp) to '${join(place.root, 'source.parquet')}' (format parquet)`);
    const view = await features.define({ source: { kind: 'parquet', location: place.name, path: 'source.parquet' }, columns: ['n', { name: 'stamp', type: 'text' }] });
    await view.materialise('2026-02-01T00:00:00.000Z');
    await place.put('rows.csv', ['id,who,asked,own,outcome', ...['2026-01-02T00:00:00Z', '', '2026-01-02 00:00:00', 'soon', '2026-01-02T00:00:00+01:00', '2026-01-02'].map((at, index) => `r${index},ada,${at},${index},${index % 2 ? 'yes' : 'no'}`)].join('\n'));
    const own = { kind: 'csv', location: place.name, path: 'rows.csv', key: 'id', split } as const;
    const findings = async (data: Table) => (await (await stack.define(data)).build()).report.findings;
    expect(await findings(table(view.view.name, [{ ...own, eventTime: 'asked' }]))).toContainEqual({ check: 'missing-value', severity: 'block', count: 3, message: expect.stringMatching(/rows whose time \(asked\) is missing, or no time with an offset/) as string, rows: ['rows.csv line 3', 'rows.csv line 4', 'rows.csv line 5'] });
    expect(await findings(table(view.view.name, [{ ...own, eventTime: 'gone' }]))).toContainEqual(expect.objectContaining({ check: 'wrong-shape', message: 'columns are missing: gone' }));
    expect(await findings(table('nowhere', [{ ...own, eventTime: 'asked' }]))).toContainEqual(expect.objectContaining({ check: 'wrong-shape', severity: 'block', message: 'data.views[0].view: expected a feature view (there is none), found nowhere' }));
    await expect(stack.define(table(view.view.name, [own]))).rejects.toThrow(/the column of each row's own time: without it a row would be joined with what was known only later/);
    expect(await findings({ ...table(view.view.name, [{ ...own, eventTime: 'asked' }]), columns: ['own', { name: 'n', type: 'text', nullable: true }, { name: 'at', type: 'text', nullable: true }] })).toContainEqual(expect.objectContaining({ message: `data.views[0].columns[0]: expected a column of type number, as in ${view.view.name}, found n of type text` }));
  });
});
