import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataActivities, openSnapshot } from '../../activities/data/index.js';
import type { SnapshotResult } from '../../activities/data/index.js';
import { CANDIDATE, PersonalCounts } from '../../runtime/personal/kinds.js';
import { createPseudonyms } from '../../runtime/personal/pseudonyms.js';
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

  describe('whose definition says what becomes of its columns', () => {
    const people = 'select \'row-\' || i as id, case when i % 2 = 0 then \'no\' else \'yes\' end as outcome, i + 0.5 as n, \'person-\' || (i % 60) || \'@mail.example.com\' as email, \'P\' || i as passport, case when i % 3 = 0 then \'write to person\' || i || \'@mail.example.com\' else \'nothing\' end as note from range(200) r(i)';
    async function define(personalData: Table['personalData'], columns: Table['columns'] = ['n', { name: 'email', type: 'text' }, { name: 'note', type: 'text' }, { name: 'passport', type: 'text' }]) {
      const place = await stack.locate();
      await query(`copy (${people}) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
      return stack.define({
        kind: 'table', columns, target: { name: 'outcome', classes: ['no', 'yes'] }, checks: { minimumRowsPerClass: 2 },
        sources: [{ kind: 'parquet', location: place.name, path: '*.parquet', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } } }], ...(personalData ? { personalData } : {}),
      });
    }
    const all = async (digest: string) => query(`select * from read_parquet([${(await openSnapshot(stack.deps, digest)).localShards.map(({ path }) => `'${path}'`).join(', ')}]) order by key`);

    it('holds pseudonyms, the same for the same person, and no dropped column', async () => {
      const { build, model, request } = await define({ policy: 'block', columns: { email: 'hash', note: 'hash-found', passport: 'drop' } });
      const { digest, report, blocked } = await build();
      expect(blocked).toBe(false);
      expect(report.findings).toMatchObject([
        { check: 'personal-data', severity: 'drop', count: 200, message: 'the values of the column email are stored as pseudonyms' },
        { check: 'personal-data', severity: 'drop', count: 67, message: 'in the column note each mail address is stored as a pseudonym' },
      ]);
      const rows = await all(digest);
      expect(Object.keys(rows[0] ?? {})).toEqual(['key', 'split', 'label', 'attributes', 'n', 'email', 'note']);
      const pseudonyms = createPseudonyms('a secret of tests', model);
      const three = rows.find(({ key }) => key === 'row-3');
      expect(three).toMatchObject({ email: pseudonyms.replace('hash', 'person-3@mail.example.com'), note: pseudonyms.replace('hash-found', 'write to person3@mail.example.com') });
      expect(three?.['email']).toBe(rows.find(({ key }) => key === 'row-63')?.['email']);
      expect(new Set(rows.map(({ email }) => email)).size).toBe(60);

      // Nowhere in what is kept: the registry, the ledger, and every object of the snapshot.
      const entries = await stack.stores.ledger.list(`${model}/production`);
      expect(entries).toMatchObject([{ action: 'personal-data-found', subject: { run: request.run } }]);
      const objects: string[] = [];
      for (const key of await stack.artifacts.list('')) objects.push(Buffer.from(await stack.artifacts.getAt(key)).toString('latin1'));
      const kept = JSON.stringify([entries, report, await stack.stores.snapshots.get(digest), await stack.stores.runs.events(request.run)]) + objects.filter((text) => text.includes(model)).join('');
      expect(kept).not.toContain('mail.example.com');
      expect(kept).not.toContain('a secret of tests');
      expect(objects.filter((text) => text.includes(model) && text.includes(`"key":"${pseudonyms.key}"`))).toHaveLength(1);
    });

    it('has other pseudonyms with another key, and says so', async () => {
      const { build, request } = await define({ columns: { email: 'hash' } }, ['n', { name: 'email', type: 'text' }]);
      const first = await build();
      const other = createDataActivities({ ...stack.deps, pseudonymKey: () => Promise.resolve('another secret') });
      const second = await new MockActivityEnvironment().run<[], SnapshotResult, () => Promise<SnapshotResult>>(() => other.buildSnapshot(request));
      expect(second.digest).not.toBe(first.digest);
      expect(second.report.findings).toContainEqual(expect.objectContaining({ severity: 'warn', message: expect.stringMatching(/^pseudonyms are made with the key [a-p]{12}, those of snapshot .* nobody keeps theirs$/) as unknown }));
    });

    it.each<[string, Table['personalData'], string]>([
      ['target', { columns: { outcome: 'drop' } }, 'another column than outcome, which is the target'],
      ['key', { columns: { id: 'hash' } }, 'another column than id, which is the key of a source'],
      ['number', { columns: { n: 'hash' } }, '`drop`, or a column of type text; n is of type number'],
      ['column that is none', { columns: { phone: 'hash-found' } }, 'a column of this definition (n, email, note, passport)'],
      ['column that is meant to hold it', { allow: ['email'], columns: { email: 'hash' } }, 'one of the two: email is in `allow` as well'],
      ['last column', { columns: { n: 'drop', email: 'drop', note: 'drop', passport: 'drop' } }, 'at least one column that is not dropped'],
    ])('is refused for its %s', async (_what, personalData, problem) => {
      await expect(define(personalData)).rejects.toThrow(problem);
    });
  });
});
