import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuck } from '../../activities/data/duckdb.js';
import { openSnapshot } from '../../activities/data/index.js';
import { loadInput } from '../../activities/score/input.js';
import { Signature } from '../../contract/package.js';
import { Column, typedColumns } from '../../definition/columns.js';
import { ModelDefinition } from '../../definition/model.js';
import { cellsOf } from '../../runtime/data/table-cells.js';
import { openShardReader, readColumns } from '../../runtime/data/read-shard.js';
import type { Cell } from '../../domain/cells.js';
import { decodeRow } from '../../domain/cells.js';
import { loadNativeParts } from '../../infra/native.js';
import { createFeatureLookup } from '../../serving/features/lookup.js';
import { parseInferenceRequest } from '../../serving/protocol/request.js';
import { rowsOf } from '../../serving/protocol/rows.js';
import { createServer } from '../../serving/server.js';
import type { PredictionServer } from '../../serving/server.js';
import { createDatabase } from '../../stores/database.js';
import type { Database } from '../../stores/database.js';
import { createFeatureRowsStore } from '../../stores/feature-rows.js';
import { createProxy } from '../gateway/proxy.js';
import type { Proxy } from '../gateway/proxy.js';
import { ask, infer } from '../serving/support.js';
import { until } from '../support/until.js';
import { createDataStack, query } from './support/data.js';
import type { Data, DataStack } from './support/data.js';
import { useFeatures } from './support/features.js';
import { registerSnapshot } from './support/scored-model.js';

let stack: DataStack;
let features: ReturnType<typeof useFeatures>;
beforeAll(async () => {
  stack = await createDataStack();
  features = useFeatures(stack);
});
afterAll(async () => { await stack.close(); });

const nullable = <T extends 'number' | 'text' | 'boolean' | 'time'>(name: string, type: T) => ({ name, type, nullable: true });
const VALUES = [nullable('n', 'number'), nullable('big', 'number'), nullable('digits', 'text'), nullable('said', 'text'), nullable('flag', 'boolean'), nullable('moment', 'time')];
const columnsOf = (data: Data) => typedColumns(data.kind === 'table' ? data.columns.map((column) => Column.parse(column)) : []);
const split = { byKey: { train: 0.7, test: 0.3 } };
const NOW = '2026-02-01T00:00:00.000Z';
const ENTITIES = 40;

/** Events of 40 keys with awkward values; some keys have none, some only old ones, some a newer one that is missing everything. */
const EVENTS = `select '{"k": "' || (i % ${ENTITIES}) || 'ü"}' as customer, (i % 3)::double - 1 as shop,
  timestamp '2026-01-31' - to_microseconds(i * 86400000000 // 4 + i) as at,
  case i % 6 when 0 then 0.1 + i / 3.0 when 1 then -0.0 when 2 then 5e-324 when 3 then 1.7976931348623157e100 when 4 then null else 1e21 / 7 + i end as n,
  (9007199254740993 + i)::bigint as big, (9223372036854775807 - i)::varchar as digits,
  case i % 5 when 0 then '' when 1 then null when 2 then 'a' || chr(0) || 'b' when 3 then '"quoted" \\ \\n ' || chr(10) || '🦕' else 'null' end as said,
  case when i % 7 > 0 then i % 2 = 0 end as flag, case when i % 4 > 0 then timestamptz '2026-03-29 02:30:00.123+05:30' + i * interval '1 hour' end as moment from range(200) t(i)`;

async function prepared(more: { whenStale?: 'refuse' | 'null'; ttl?: string } = {}) {
  const place = await stack.locate();
  await query(`copy (${EVENTS}) to '${join(place.root, 'events.parquet')}' (format parquet)`);
  await query(`copy (select row_number() over () || '' as id, customer, shop, timestamptz '${NOW}' as asked, case when row_number() over () % 2 = 0 then 'no' else 'yes' end as outcome, (row_number() over () % 2)::double as own
    from (select distinct customer, shop from (${EVENTS}) union all select 'nobody', 0 from range(20))) to '${join(place.root, 'rows.parquet')}' (format parquet)`);
  const view = await features.define({ source: { kind: 'parquet', location: place.name, path: 'events.parquet' }, entity: [{ name: 'customer', type: 'text' }, { name: 'shop', type: 'number' }], columns: VALUES, ttl: '20d', ...more });
  await view.materialise(NOW);
  const data: Extract<Data, { kind: 'table' }> = {
    kind: 'table', columns: ['own', ...VALUES], views: [{ view: view.view.name, key: { customer: 'customer', shop: 'shop' }, columns: VALUES.map(({ name }) => name) }], target: { name: 'outcome', classes: ['no', 'yes'] },
    checks: { minimumRowsPerClass: 1 }, leakage: { acrossSplits: 'off', columns: 'off' }, sources: [{ kind: 'parquet', location: place.name, path: 'rows.parquet', key: 'id', eventTime: 'asked', split }],
  };
  const defined = await stack.define(data);
  const built = await defined.build();
  expect(built.report.findings.filter(({ severity }) => severity === 'block')).toEqual([]);
  const rows = await query(`select id, customer, shop, own from read_parquet('${join(place.root, 'rows.parquet')}') order by id`) as { id: string; customer: string; shop: number; own: number }[];
  return { view, data, model: defined.model, snapshot: await openSnapshot(stack.deps, built.digest), rows, file: join(place.root, 'rows.parquet') };
}

/** A request that gives keys in place of the view's columns. */
const byKey = (rows: readonly { customer: string; shop: number; own: number }[]) => ({ inputs: [
  { name: 'own', shape: [rows.length], datatype: 'FP64', data: rows.map(({ own }) => own) }, { name: 'customer', shape: [rows.length], datatype: 'BYTES', data: rows.map(({ customer }) => customer) }, { name: 'shop', shape: [rows.length], datatype: 'FP64', data: rows.map(({ shop }) => shop) },
] });

describe('the values of a view', () => {
  it('are the same to the last bit in training as of now, when they are looked up now, and when a file is scored now', async () => {
    const { data, snapshot, rows, file } = await prepared();
    const columns = columnsOf(data);
    const trained = new Map<string, Cell[]>();
    const reader = await openShardReader();
    for (const { path } of snapshot.localShards) {
      for await (const chunk of readColumns(reader.connection, path, ['key', ...columns.map(({ name }) => name)])) cellsOf(chunk, columns, 1, String).forEach((cells, row) => trained.set(String(chunk.getColumnVector(0).getItem(row)), [...cells]));
    }
    reader.close();
    const { views } = snapshot.manifest.content;
    const signature = Signature.parse({ inputs: columns.map(({ name, type, nullable: may }) => ({ name, type, nullable: may, datatype: { number: 'FP64', text: 'BYTES', boolean: 'BOOL', time: 'BYTES' }[type], shape: [1] })), lookups: views, outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [2] }], classes: ['no', 'yes'] });
    const lookUp = createFeatureLookup({ rows: stack.stores.featureRows, timeoutMs: 5_000, onLookup: () => undefined, now: () => Date.parse(NOW) });
    const { request } = await lookUp(parseInferenceRequest(byKey(rows)), signature, 1_000);
    const { input } = rowsOf(request, signature, 1_000);
    const served = new Map(rows.map(({ id }, index) => [id, [...(input[index] as Cell[])]]));
    expect(served.size).toBe(trained.size);
    // As bits: a test by value takes -0 for 0.
    const bits = (cells: Cell[] | undefined) => cells?.map((cell) => (typeof cell === 'number' ? Buffer.from(Float64Array.of(cell).buffer).toString('hex') : cell));
    for (const [key, cells] of trained) expect(bits(served.get(key)), key).toEqual(bits(cells));
    const duck = await openDuck(await mkdtemp(join(stack.folder, 'scored-')));
    await loadInput(duck, 'rows.parquet', file, signature, { looking: { rows: stack.stores.featureRows, at: Date.parse(NOW), signal: new AbortController().signal }, replace: () => Promise.resolve() });
    const scored = (await duck.connection.runAndReadAll('select * exclude (row) from input')).getRows() as [string, ...Cell[]][];
    duck.close();
    expect(scored).toHaveLength(trained.size);
    // A job's table holds booleans as text.
    for (const [key, ...cells] of scored) expect(bits(cells), key).toEqual(bits(trained.get(key)?.map((cell) => (typeof cell === 'boolean' ? String(cell) : cell))));
    const values = [...trained.values()];
    expect(values.filter((cells) => cells.slice(1).every((cell) => cell === null)).length).toBeGreaterThan(20);
    expect(values.filter(([, n]) => n !== null).length).toBeGreaterThan(20);
  });
});

describe('a prediction server', () => {
  const { tfjsNode } = loadNativeParts();
  let [server, database, lookups, proxy] = [] as unknown as [PredictionServer, Database, Database, Proxy];
  let token: string;
  const environment = `env-${randomUUID().slice(0, 8)}`;
  let made: Awaited<ReturnType<typeof prepared>>;

  beforeAll(async () => {
    Object.assign(stack.deps, { tfjsNode });
    made = await prepared({ ttl: '400d', whenStale: 'null' });
    const definition = ModelDefinition.parse({
      schema: 1, name: made.model, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test', data: made.data,
      network: { layers: [{ className: 'Dense', config: { units: 2, activation: 'softmax' } }] }, training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, epochs: 1, batchSize: 8, seed: 1, threads: 1 }, evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
    });
    const { version } = await registerSnapshot(stack, { model: made.model, definition, snapshot: made.snapshot });
    await stack.stores.environments.ensure(environment);
    await stack.stores.routes.write({ environment, model: made.model, expected: 0, intent: randomUUID(), arms: [{ version, role: 'live', share: 1 }], keepWarmMs: 1000, by: 'test', reason: 'test' });
    await stack.stores.principals.create({ id: 'client', kind: 'machine', displayName: 'Client', email: null, publicKey: null });
    ({ token } = await stack.stores.principals.createToken({ principal: 'client', scopes: ['predict'], name: 'test' }));
    database = createDatabase(stack.databaseUrl, { max: 4, applicationName: 'test server' });
    const direct = new URL(stack.databaseUrl);
    proxy = await createProxy(direct.hostname, Number(direct.port));
    lookups = createDatabase(Object.assign(direct, { port: String(proxy.port) }).href, { max: 2 });
    server = await createServer({
      environment, replica: 'one', database, stores: { ...stack.stores, featureRows: createFeatureRowsStore(lookups) }, artifacts: stack.artifacts, tfjsNode, softwareVersion: '0.0.0', scratch: join(stack.folder, 'server'), segmentDir: join(stack.folder, 'segments'),
      limits: { runnerThreads: 1, lookupMs: 1_500 }, pseudonymKey: stack.deps.pseudonymKey, onProblem: () => undefined,
    });
    await server.settled;
  }, 180_000);
  afterAll(async () => {
    await server?.close();
    await Promise.all([database?.close(), lookups?.close()]);
    await proxy?.close();
  });

  const path = () => `/v2/models/${made.model}/infer`;
  const refresh = () => made.view.materialise(new Date().toISOString());
  const logged = async (request: string) => {
    await until(async () => expect((await stack.stores.predictions.findByRequest(made.model, request)).length).toBeGreaterThan(0));
    return (await stack.stores.predictions.findByRequest(made.model, request)).map(({ input, attributes }) => ({ cells: decodeRow(columnsOf(made.data), input), attributes }));
  };

  it('looks up what a request leaves out, answers as if it had been given, and logs what it used', async () => {
    await refresh();
    const some = made.rows.filter(({ customer }) => customer !== 'nobody').slice(0, 3);
    const id = randomUUID();
    const answer = await infer(server.url, token, made.model, { id, ...byKey(some) });
    const used = await logged(id);
    expect(used.every(({ cells }) => cells && cells.slice(1).some((cell) => cell !== null))).toBe(true);
    const columns = columnsOf(made.data);
    const datatype = { number: 'FP64', text: 'BYTES', boolean: 'BOOL', time: 'BYTES' } as const;
    const given = await infer(server.url, token, made.model, { inputs: columns.map(({ name, type }, place) => ({ name, shape: [3], datatype: datatype[type], data: used.map(({ cells }) => cells?.[place] ?? null) })) });
    expect(given.outputs).toEqual(answer.outputs);
    expect((await ask(server.url, token, `/v2/models/${made.model}`)).body).toMatchObject({ parameters: { lookups: [{ view: made.view.view.name, keys: [{ name: 'customer', datatype: 'BYTES' }, { name: 'shop', datatype: 'FP64' }], columns: VALUES.map(({ name }) => name) }] } });
  });

  it('refuses what names neither columns nor key, both, a key of another type, and too many rows', async () => {
    await refresh();
    const [row] = made.rows;
    if (!row) throw new Error('there are no rows');
    const whole = byKey([row]).inputs;
    const refused = async (inputs: readonly unknown[]) => { const { status, body } = await ask(server.url, token, path(), { inputs }); return `${status} ${(body as { error: string }).error}`; };
    expect(await refused(whole.slice(0, 2))).toMatch(/^422 Missing input: n, big, digits, said, flag; or shop, by which the view view-\w+ is looked up\.$/);
    expect(await refused([...whole, { name: 'n', shape: [1], datatype: 'FP64', data: [1] }])).toMatch(/^422 Unknown input: customer, shop/);
    expect(await refused([...whole.slice(0, 2), { name: 'shop', shape: [1], datatype: 'BYTES', data: ['x'] }])).toMatch(/^422 Input "shop", value 0: "x" is not a finite number/);
    expect(await refused(byKey(Array.from({ length: 1_025 }, () => row)).inputs)).toMatch(/^413 /);
  });

  it('does with a view that is not up to date what the view says: missing values that are flagged, or an error', async () => {
    const { view: version, digest } = made.view;
    await database.query('update feature_stores set as_of = $3 where view = $1 and digest = $2', [version.name, digest, new Date(Date.now() - 3 * 3_600_000).toISOString()]);
    await new Promise((wake) => setTimeout(wake, 1_100)); // since when a view is up to date is kept for a second
    const id = randomUUID();
    const some = made.rows.filter(({ customer }) => customer !== 'nobody').slice(0, 2);
    expect((await infer(server.url, token, made.model, { id, ...byKey(some) })).parameters).toMatchObject({ stale_features: [version.name] });
    expect(await logged(id)).toMatchObject(some.map(() => ({ cells: [expect.any(Number), null, null, null, null, null, null], attributes: { 'stale-features': version.name } })));
    await database.query('update feature_view_definitions set definition = definition || \'{"whenStale": "refuse"}\' where view = $1', [version.name]);
    await new Promise((wake) => setTimeout(wake, 1_100));
    const { status, body, headers } = await ask(server.url, token, path(), byKey(some));
    expect([status, headers.get('retry-after'), (body as { error: string }).error]).toEqual([503, '5', expect.stringMatching(/^features\/stale: the view view-\w+ is as of 20.*Z, and may be 2h old at most\.$/) as string]);
    await refresh();
    await new Promise((wake) => setTimeout(wake, 1_100));
    expect((await ask(server.url, token, path(), byKey(some))).status).toBe(200);
  });

  it('does not wait for a PostgreSQL that does not answer', async () => {
    proxy.cut();
    const before = Date.now();
    const { status, body } = await ask(server.url, token, path(), byKey(made.rows.slice(0, 1)));
    expect([status, (body as { error: string }).error]).toEqual([503, expect.stringMatching(/^features\/unavailable: the features of the view view-\w+ cannot be looked up now\.$/) as string]);
    expect(Date.now() - before).toBeLessThan(8_000);
    proxy.restore();
    await until(async () => expect((await ask(server.url, token, path(), byKey(made.rows.slice(0, 1)))).status).toBe(200));
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/perennial_feature_lookups_total\{view="view-\w+",outcome="unavailable"\} 1/);
  });

  it('goes on with the rows that it was trained with when a commit changes the view', async () => {
    const { view, digest } = made.view;
    const other = await features.define({ ...view, columns: [...VALUES.slice(0, 2)], name: view.name });
    expect(other.digest).not.toBe(digest);
    const asOf = new Date().toISOString();
    await other.materialise(asOf);
    expect([await stack.stores.featureStores.get(view.name, digest), await stack.stores.featureStores.get(view.name, other.digest)]).toMatchObject([{ asOf }, { asOf }]);
    const some = made.rows.filter(({ customer }) => customer !== 'nobody').slice(0, 2);
    const id = randomUUID();
    await infer(server.url, token, made.model, { id, ...byKey(some) });
    expect((await logged(id)).every(({ cells }) => cells?.slice(3).some((cell) => cell !== null))).toBe(true);
    // Nothing that may serve knows a version that was refused: its rows are left as they are.
    await database.query('update versions set status = \'quarantined\' where model = $1', [made.model]);
    await stack.stores.routes.write({ environment, model: made.model, expected: 1, intent: randomUUID(), arms: [], keepWarmMs: 1000, by: 'test', reason: 'test' });
    await stack.stores.routes.write({ environment, model: made.model, expected: 2, intent: randomUUID(), arms: [], keepWarmMs: 1000, by: 'test', reason: 'test' });
    await other.materialise(new Date().toISOString());
    expect(await stack.stores.featureStores.get(view.name, digest)).toMatchObject({ asOf });
  });
});
