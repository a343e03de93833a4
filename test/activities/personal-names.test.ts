import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countNames, decideNames } from '../../activities/data/personal/names/decide.js';
import { readNameLists } from '../../activities/data/personal/names/lists.js';
import { nameIn } from '../../activities/data/personal/names/recognise.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

type Columns = Readonly<Record<string, readonly string[]>>;
/** Made names, of frequent first and last names of each country, as tables write them: in either order, in capitals, in small letters. */
const { people, others } = JSON.parse(readFileSync(new URL('support/columns-of-names.json', import.meta.url), 'utf8')) as { people: Columns; others: Columns };
const lists = readNameLists();
const judged = (texts: readonly string[]) => decideNames(countNames(texts.map((text) => nameIn(text, lists))));

describe('a column', () => {
  it.each(Object.keys(people))('holds names of people: %s', (name) => {
    expect(judged(people[name] ?? [])).toMatchObject({ kind: 'name of a person' });
  });

  it.each(Object.keys(others))('holds none: %s', (name) => {
    expect(others[name]?.length).toBeGreaterThan(5);
    expect(judged(others[name] ?? [])).toBeNull();
  });

  it('holds first or last names alone, where most are known', () => {
    expect(judged(['Anna', 'Berta', 'Carlos', 'Dieter', 'Elena', 'Franz', 'Giulia', 'Hans', 'Isabel', 'Jan', 'unknown', '-'])).toEqual({ kind: 'first or last name of a person', found: 10 });
  });
});

describe('a text', () => {
  it.each([
    ['Braund, Mr. Owen Harris', 'whole'], ['García Márquez, María', 'whole'], ['maria garcia', 'whole'], ['Jean-Pierre Dupont', 'whole'], ['GARCIA Maria', 'whole'], ['Trần Hoàng Anh', 'whole'], ['Иванова Елена', 'whole'], ['Anna', 'single'],
    ['The order of Maria Garcia has not come.', 'mentioned'], ['We met John F. Kennedy in Dallas.', 'mentioned'],
    ['Avenida Maria Garcia 17, third floor', null], ['A noble failure', null], ['Santa Maria Novella', null], ['Grace', null], ['item-17', null], ['', null],
  ])('%s: %s', (text, expected) => {
    expect(nameIn(text, lists)).toBe(expected);
  });
});

describe('a snapshot of people', () => {
  let stack: DataStack;
  beforeAll(async () => { stack = await createDataStack(); });
  afterAll(() => stack.close());

  type Table = Extract<Data, { kind: 'table' }>;
  const first = ['Anna', 'Carlos', 'Dieter', 'Elena', 'Francesca', 'Giulia', 'Johannes', 'Isabel', 'Sophie', 'Pedro'];
  const last = ['Garcia', 'Schmidt', 'Rossi', 'Dubois', 'Novak', 'Jansen', 'Andersson', 'Silva'];
  const list = (texts: readonly string[]) => `[${texts.map((text) => `'${text}'`).join(', ')}]`;

  /** 80 patients; three of four complaints name one of them. @param order of the rows */
  async function built(personalData: Table['personalData'], order = 'i') {
    const place = await stack.locate();
    await query(`copy (select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, patient,
      case when i % 4 = 0 then 'The parcel ' || i || ' came late.' else 'Parcel ' || i || ': I asked ' || patient || ' on Monday.' end as complaint, ${list(['Graz', 'Berlin', 'Virginia', 'Salt Lake City'])}[(i // 3) % 4 + 1] as town
      from (select i, ${list(first)}[i % 10 + 1] || ' ' || ${list(last)}[(i // 10) % 8 + 1] as patient from range(240) r(i)) order by ${order}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    const { build, model, request } = await stack.define({
      kind: 'table', columns: [{ name: 'patient', type: 'text' }, { name: 'complaint', type: 'text' }, { name: 'town', type: 'text' }], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
      sources: [{ kind: 'parquet', location: place.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } } }], personalData,
    });
    const result = await build();
    return { ...result, model, run: request.run, entries: await stack.stores.ledger.list(`${model}/production`) };
  }
  const seems = (column: string, found: number, looked: number) => ({ message: `the column ${column} seems to hold personal data: name of a person, in ${found} of ${looked} texts looked at`, count: found });

  it('is blocked by a column of names and by one that mentions them; the report and the ledger say in how many of the texts looked at, not which', async () => {
    const { blocked, report, model, run, entries } = await built({ policy: 'block' });
    expect(blocked).toBe(true);
    expect(report.findings).toMatchObject([{ check: 'personal-data', severity: 'block', rows: [], ...seems('patient', 80, 80) }, { check: 'personal-data', severity: 'block', rows: [], ...seems('complaint', 180, 240) }]);
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    expect(entries).toMatchObject([{ action: 'personal-data-found', subject: { run, found: [seems('patient', 80, 80), seems('complaint', 180, 240)] } }]);
    expect(JSON.stringify([report, entries])).not.toMatch(/Garcia|Anna/);
  });

  it('is reported, and not where a column is allowed, hashed, dropped or has what is found in it replaced', async () => {
    expect((await built({ policy: 'warn' })).report.findings).toMatchObject([{ severity: 'warn', ...seems('patient', 80, 80) }, { severity: 'warn', ...seems('complaint', 180, 240) }]);
    expect(await built({ policy: 'block', allow: ['patient', 'complaint'] })).toMatchObject({ blocked: false, report: { findings: [] } });
    expect(await built({ policy: 'block', columns: { patient: 'hash', complaint: 'hash-found' } })).toMatchObject({ blocked: false, report: { findings: [{ severity: 'drop', message: 'the values of the column patient are stored as pseudonyms' }] } });
    expect(await built({ policy: 'block', columns: { patient: 'drop', complaint: 'drop' } })).toMatchObject({ blocked: false, report: { findings: [] } });
  });

  it('is looked at alike in whatever order its rows are, of many texts as many as fit', async () => {
    const place = async (order: string) => {
      const location = await stack.locate();
      await query(`copy (select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, case when i % 3 = 0 then 'Letter ' || i || ' by ' || ${list(first)}[i % 10 + 1] || ' Garcia came.' else 'the part numbered ' || i end as note
        from range(9000) r(i) order by ${order}) to '${join(location.root, 'rows.parquet')}' (format parquet)`);
      const { build } = await stack.define({
        kind: 'table', columns: [{ name: 'note', type: 'text' }], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
        sources: [{ kind: 'parquet', location: location.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } } }], personalData: {},
      });
      return (await build()).report.findings.map(({ message }) => message);
    };
    const [forwards, backwards] = [await place('i'), await place('hash(i + 7)')];
    expect(forwards).toEqual([expect.stringMatching(/^the column note seems to hold personal data: name of a person, in 1[4-9][0-9] of 500 texts looked at$/)]);
    expect(backwards).toEqual(forwards);
  });
});
