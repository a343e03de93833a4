import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANDIDATE, PersonalCounts } from '../../activities/data/personal/kinds.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';

const found = (...texts: string[]) => {
  const counts = new PersonalCounts();
  for (const text of texts) if (new RegExp(CANDIDATE).test(text)) counts.add(text);
  return counts.found();
};

describe('a text', () => {
  // Numbers that issuers and standards give as examples.
  it.each([
    ['mail address', 'write to ada.lovelace@mail.example.com, please'], ['IBAN', 'pay to DE89 3704 0044 0532 0130 00 SOON'], ['IBAN', 'GB82WEST12345698765432'],
    ['card number', 'card 4111 1111 1111 1111 expires'], ['card number', '5555-5555-5555-4444'], ['phone number', 'call +43 (1) 58858-0 today'], ['phone number', '0043 664 1234567'],
    ['IP address', 'from 192.168.17.4:'], ['IP address', '2001:db8::ff00:42:8329'], ['national number', 'DNI 12345678Z'], ['national number', '131052-308T'],
  ])('holds a %s: %s', (kind, text) => {
    expect(found(text)).toEqual([{ kind, values: 1 }]);
  });

  it.each(['4111 1111 1111 1112', 'DE89370400440532013001', 'order 12345678A', 'version 1.2.3.4', 'at 12:30:00', '::1', '2026-01-31T08:00:00.000Z', 'net 1 234 567.89', 'ada@home', 'tel. 58858', 'row-1234567'])('holds none: %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  it('of digits alone is told by how many pass, since some do by chance', () => {
    const numbers = Array.from({ length: 2_000 }, (_, index) => String(4_000_000_000_000_000 + index * 7_919));
    expect(found(...numbers)).toEqual([]);
    expect(found(...numbers.slice(0, 3), '4111111111111111')).toEqual([{ kind: 'card number', values: 1 }]);
  });
});

describe('a snapshot of texts', () => {
  let stack: DataStack;
  beforeAll(async () => { stack = await createDataStack(); });
  afterAll(() => stack.close());

  type Table = Extract<Data, { kind: 'table' }>;

  async function built(personalData?: Table['personalData']) {
    const place = await stack.locate();
    await query(`copy (select 'row-' || i as id, case when i % 2 = 0 then 'no' else 'yes' end as outcome, case when i % 50 = 7 then 'from person' || i || '@mail.example.com' else 'nothing' end as note
      from range(200) r(i)) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
    const { build, model, request } = await stack.define({
      kind: 'table', columns: [{ name: 'note', type: 'text' }], target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
      sources: [{ kind: 'parquet', location: place.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } } }], ...(personalData ? { personalData } : {}),
    });
    return { result: await build(), model, run: request.run };
  }
  const MESSAGE = 'the column note seems to hold personal data: mail address';

  it('is blocked before anything of it is stored, and the ledger says where and how much, not what', async () => {
    const { result, model, run } = await built({ policy: 'block' });
    expect(result).toMatchObject({ blocked: true, report: { findings: [{ check: 'personal-data', severity: 'block', count: 4, message: MESSAGE, rows: [] }] } });
    expect(await stack.stores.snapshots.listFor(model)).toEqual([]);
    const entries = await stack.stores.ledger.list(`${model}/production`);
    expect(entries).toMatchObject([{ action: 'personal-data-found', subject: { run, found: [{ message: MESSAGE, count: 4 }] } }]);
    expect(JSON.stringify([result.report, entries])).not.toContain('example.com');
  });

  it('is reported, allowed, or not looked through, as the definition says', async () => {
    expect((await built({})).result).toMatchObject({ blocked: false, report: { findings: [{ check: 'personal-data', severity: 'warn', count: 4 }] } });
    expect((await built({ policy: 'block', allow: ['note'] })).result).toMatchObject({ blocked: false, report: { findings: [] } });
    expect((await built()).result).toMatchObject({ blocked: false, report: { findings: [] } });
  });
});
