import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDuck } from '../../activities/data/duckdb.js';
import type { Duck } from '../../activities/data/duckdb.js';
import { loadInput } from '../../activities/score/input.js';
import type { Signature } from '../../contract/package.js';
import { DATATYPES } from '../../domain/signature-cells.js';
import { createDataStack, query } from './support/data.js';
import type { DataStack } from './support/data.js';
import { useFeatures } from './support/features.js';

const AS_OF = '2026-07-01T00:00:00.000Z';
const COLUMNS = [{ name: 'plan', type: 'text', nullable: true }, { name: 'visits', type: 'number', nullable: true }, { name: 'paid', type: 'boolean', nullable: true }] as const;

let stack: DataStack;
let views: Record<'refuse' | 'null', { name: string; digest: string }>;
let duck: Duck;

beforeAll(async () => {
  stack = await createDataStack();
  const place = await stack.locate();
  await query(`copy (select * from (values ('ada', 1.0, timestamp '2026-06-30 12:00', 'gold', 0.1::double + 0.2::double, true), ('ada', 1.0, timestamp '2026-06-30 09:00', 'old', 1.0, false), ('bob', 1.0, timestamp '2026-06-30 12:00', null, 7.0, false), ('cid', 1.0, timestamp '2026-06-01', 'old', 9.0, true))
    t(customer, shop, "at", plan, visits, paid)) to '${join(place.root, 'events.parquet')}' (format parquet)`);
  const features = useFeatures(stack);
  const define = async (whenStale: 'refuse' | 'null') => {
    const view = await features.define({ source: { kind: 'parquet', location: place.name, path: 'events.parquet' }, entity: [{ name: 'customer', type: 'text' }, { name: 'shop', type: 'number' }], columns: [...COLUMNS], ttl: '1d', freshness: '1h', whenStale });
    await view.materialise(AS_OF);
    return { name: view.view.name, digest: view.digest };
  };
  views = { refuse: await define('refuse'), null: await define('null') };
  const folder = await mkdtemp(join(stack.folder, 'scored-'));
  await mkdir(join(folder, 'duck'));
  duck = await openDuck(join(folder, 'duck'));
});
beforeEach(() => duck.run('drop table if exists input'));
afterAll(async () => {
  duck.close();
  await stack.close();
});

const column = ({ name, type }: { readonly name: string; readonly type: 'number' | 'text' | 'boolean' }, nullable = true): Signature['inputs'][number] => ({ name, datatype: DATATYPES[type], shape: [1], type, nullable });

/** The table of a job's input: what a file of this text becomes. */
async function load(text: string, { whenStale = 'refuse', at = '2026-07-01T00:30:00Z', needed = '' }: { whenStale?: 'refuse' | 'null'; at?: string; needed?: string } = {}) {
  const file = join(stack.folder, 'rows.csv');
  await writeFile(file, text);
  const { name, digest } = views[whenStale];
  const signature: Signature = {
    inputs: [column({ name: 'own', type: 'number' }), ...COLUMNS.map((own) => column(own, own.name !== needed))], outputs: [], classes: ['no', 'yes'],
    lookups: [{ view: name, digest, ttlMs: 86_400_000, keys: [{ input: 'customer', type: 'text' }, { input: 'shop', type: 'number' }], columns: COLUMNS.map((own, index) => ({ input: own.name, place: index })).reverse() }],
  };
  await loadInput(duck, 'rows.csv', file, signature, { looking: { rows: stack.stores.featureRows, at: Date.parse(at), signal: new AbortController().signal }, replace: () => Promise.resolve() });
  return (await duck.connection.runAndReadAll('select * exclude (row) from input order by row')).getRows();
}

const KEYED = 'id,own,customer,shop\nr1,1,ada,1\nr2,2,eve,1\nr3,3,bob,1.0\nr4,4,cid,1\nr5,5,ada,1\n';

it('a file that is scored is filled by the keys that it holds: the newest row of each, while its values hold', async () => {
  expect(await load(KEYED)).toEqual([['r1', 1, 'gold', 0.1 + 0.2, 'true'], ['r2', 2, null, null, null], ['r3', 3, null, 7, 'false'], ['r4', 4, null, null, null], ['r5', 5, 'gold', 0.1 + 0.2, 'true']]);
});

it('a file that holds the columns itself is taken at its word', async () => {
  expect(await load('id,own,customer,shop,visits,plan,paid\nr1,1,ada,1,3,silver,false\n')).toEqual([['r1', 1, 'silver', 3, 'false']]);
});

it('a file is refused that holds some of a view\'s columns, or not its whole key, or a key of which nothing is known that the model needs', async () => {
  const by = 'a file that is scored holds all of them, or none and customer, shop, by which they are looked up';
  await expect(load('id,own,customer\nr1,1,ada\n')).rejects.toMatchObject({ code: 'score/input', message: `rows.csv: columns of the feature view ${views.refuse.name} are missing: paid, visits, plan; ${by}` });
  await expect(load('id,own,customer,shop,plan\nr1,1,ada,1,gold\n')).rejects.toMatchObject({ code: 'score/input', message: `rows.csv: columns of the feature view ${views.refuse.name} are missing: paid, visits; ${by}` });
  await expect(load('id,own,customer,shop\nr1,1,ada,one\n')).rejects.toMatchObject({ code: 'score/input', message: 'rows.csv: the column shop does not hold a finite number in row 0 (r1)' });
  await duck.run('drop table input');
  await expect(load(KEYED, { needed: 'visits' })).rejects.toMatchObject({ code: 'score/input', message: `rows.csv: the column visits is needed by the model, and the view ${views.refuse.name} knows nothing of it for the key in row 1 (r2)`, details: { rows: [1, 3] } });
});

it('a view that is not up to date is waited for, or its values are missing, as it says', async () => {
  const at = '2026-07-01T01:30:00Z';
  await expect(load(KEYED, { at })).rejects.toMatchObject({ code: 'features/stale', message: expect.stringContaining(`the view ${views.refuse.name} is as of 2026-07-01T00:00:00`) as string });
  await duck.run('drop table input');
  expect(await load(KEYED, { at, whenStale: 'null' })).toEqual(['r1', 'r2', 'r3', 'r4', 'r5'].map((key, index) => [key, index + 1, null, null, null]));
});
