import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planScore } from '../../activities/score/plan.js';
import { createRunners } from '../../activities/score/runners.js';
import type { Runners } from '../../activities/score/runners.js';
import { scorePartition } from '../../activities/score/partition.js';
import { Feature } from '../../definition/features.js';
import type { ModelDefinition } from '../../definition/model.js';
import { decodeRow } from '../../domain/cells.js';
import { createPseudonyms } from '../../runtime/personal/pseudonyms.js';
import { loadNativeParts } from '../../infra/native.js';
import { createServer } from '../../serving/server.js';
import type { PredictionServer } from '../../serving/server.js';
import { createDatabase, type Database } from '../../stores/database.js';
import { tableDefinition } from '../runtime/support/definitions.js';
import { classesOf } from '../runtime/support/evaluated.js';
import { infer } from '../serving/support.js';
import { until } from '../support/until.js';
import { createDataStack, query } from './support/data.js';
import type { DataStack } from './support/data.js';
import { registerTrained } from './support/scored-model.js';
import type { Registered } from './support/scored-model.js';

const { tfjsNode } = loadNativeParts();
const environment = 'production';
const columns = [{ name: 'n', type: 'number' as const, nullable: false }, { name: 'email', type: 'text' as const, nullable: false }, { name: 'note', type: 'text' as const, nullable: false }];
const people = Array.from({ length: 4 }, (_, index) => `person-${index}@mail.example.com`);
const rows = Array.from({ length: 40 }, (_, index) => ({ n: Math.sin(index), email: people[index % 4] ?? '', note: index % 2 ? 'call +43 1 58858 0' : `for ${people[index % 4] ?? ''}` }));

let stack: DataStack;
let model: Registered;
let server: PredictionServer;
let database: Database;
let runners: Runners;
let token: string;

beforeAll(async () => {
  stack = await createDataStack();
  Object.assign(stack.deps, { tfjsNode });
  const plain = tableDefinition(columns, { training: { epochs: 2 } });
  if (plain.data.kind !== 'table') throw new Error('a table is expected');
  const definition: ModelDefinition = {
    ...plain,
    // A person that training did not see is refused, so that a value which was not replaced would be.
    data: { ...plain.data, personalData: { policy: 'warn', allow: [], columns: { email: 'hash', note: 'drop-found' } }, features: [Feature.parse({ kind: 'category', column: 'email', unknown: 'refuse' }), Feature.parse({ kind: 'words', column: 'note', buckets: 8 })] },
  };
  model = await registerTrained(stack, definition, (name) => {
    const pseudonyms = createPseudonyms('a secret of tests', name);
    return rows.map(({ n, email, note }, index) => ({ key: `k${100 + index}`, split: index % 4 === 3 ? 'test' : 'train', label: index % 3 ? 'yes' : 'no', values: [n, pseudonyms.replace('hash', email === people[3] ? people[0] ?? '' : email), pseudonyms.replace('drop-found', note)] }));
  });
  await stack.stores.environments.ensure(environment);
  await stack.stores.routes.write({ environment, model: model.model, expected: 0, intent: randomUUID(), arms: [{ version: model.version, role: 'live', share: 1 }], keepWarmMs: 1000, by: 'test', reason: 'test' });
  await stack.stores.principals.create({ id: 'client', kind: 'machine', displayName: 'Client', email: null, publicKey: null });
  ({ token } = await stack.stores.principals.createToken({ principal: 'client', scopes: ['predict'], name: 'test' }));
  database = createDatabase(stack.databaseUrl, { max: 4, applicationName: 'test server' });
  server = await serve('one');
  runners = createRunners(tfjsNode);
}, 120_000);
afterAll(async () => {
  await server?.close();
  await database?.close();
  await stack?.close();
});

const serve = async (replica: string, pseudonymKey = stack.deps.pseudonymKey, problems: string[] = []) => {
  const started = await createServer({
    environment, replica, database, stores: stack.stores, artifacts: stack.artifacts, tfjsNode, softwareVersion: '0.0.0', pseudonymKey, scratch: join(stack.folder, replica), segmentDir: join(stack.folder, replica, 'segments'),
    limits: { runnerThreads: 1 }, onProblem: (message) => problems.push(message),
  });
  await started.settled;
  return started;
};
const asked = rows.filter((_, index) => index % 4 === 3).map((row) => ({ ...row, email: people[0] ?? '' }));
const request = (id: string, values = asked) => ({ id, inputs: columns.map(({ name, type }) => ({ name, datatype: type === 'number' ? 'FP64' : 'BYTES', shape: [values.length], data: values.map((row) => row[name as keyof typeof row]) })) });

it('a request with the value as it is gets the prediction of its pseudonym, and only that is logged', async () => {
  const signature = JSON.parse(readFileSync(join(model.directory, 'signature.json'), 'utf8')) as { inputs: unknown[] };
  expect(signature.inputs).toMatchObject([{ name: 'n' }, { name: 'email', personal: { action: 'hash' } }, { name: 'note', personal: { action: 'drop-found' } }]);
  const expected = [...classesOf(model.evaluated).probabilities];
  const answer = await infer(server.url, token, model.model, request('raw'));
  expect(answer.outputs[0]?.data.map((value) => Math.fround(Number(value)))).toEqual(expected);
  await until(async () => expect(await stack.stores.predictions.findByRequest(model.model, 'raw')).toHaveLength(asked.length));
  const logged = (await stack.stores.predictions.findByRequest(model.model, 'raw')).map(({ input }) => decodeRow(columns, input));
  const pseudonym = createPseudonyms('a secret of tests', model.model).replace('hash', people[0] ?? '');
  for (const row of logged) expect(row?.slice(1)).toEqual([pseudonym, expect.stringMatching(/^(call \[phone\]|for \[mail\])$/)]);
  // What was logged comes back as a row, or is asked once more: the same.
  const again = await infer(server.url, token, model.model, request('again', asked.map((row) => ({ ...row, email: pseudonym }))));
  expect(again.outputs[0]?.data).toEqual(answer.outputs[0]?.data);
});

it('batch scoring gives the same, and copies nothing else to S3', async () => {
  const before = new Set(await stack.artifacts.list(''));
  const input = join(stack.folder, 'customers.csv');
  writeFileSync(input, `id,n,email,note\n${asked.map(({ n, email, note }, index) => `${index},${n},${email},${note}`).join('\n')}\n`);
  const job = `job-${randomUUID()}`;
  const { signal } = new AbortController();
  await planScore(stack.deps, { job, model: model.model, version: model.version, input, by: 'ada' }, signal);
  await scorePartition(stack.deps, runners, { job, partition: 0 }, signal, () => undefined);
  const [done] = (await stack.stores.scores.get(job))?.completed ?? [];
  if (!done) throw new Error('nothing was scored');
  const file = join(stack.folder, `${job}.parquet`);
  await stack.artifacts.getToFile(done.output, file);
  expect((await query(`select probabilities from read_parquet('${file}') order by row`)).flatMap(({ probabilities }) => (probabilities as number[]).map(Math.fround))).toEqual([...classesOf(model.evaluated).probabilities]);
  const copies = (await stack.artifacts.list('')).filter((key) => !before.has(key));
  let tables = 0;
  for (const [index, key] of copies.entries()) {
    const bytes = await stack.artifacts.getAt(key);
    if (Buffer.from(bytes.subarray(0, 4)).toString() !== 'PAR1') continue;
    const copy = join(stack.folder, `copy-${index}.parquet`);
    writeFileSync(copy, bytes);
    expect(JSON.stringify(await query(`select * from read_parquet('${copy}')`))).not.toMatch(/example\.com|58858/);
    tables += 1;
  }
  expect(tables).toBe(2);
  const foreign = { ...stack.deps, pseudonymKey: () => Promise.resolve('another secret') };
  await expect(planScore(foreign, { job: `job-${randomUUID()}`, model: model.model, version: model.version, input, by: 'ada' }, signal)).rejects.toMatchObject({ code: 'data/pseudonym-key' });
});

it('a server with another key does not serve the version', async () => {
  const problems: string[] = [];
  const other = await serve('two', () => Promise.resolve('another secret'), problems);
  try {
    expect(problems).toContainEqual(expect.stringMatching(/could not be loaded: .* was trained with pseudonyms of the key [a-p]{12}, this server has the key [a-p]{12}$/));
    expect(problems.join()).not.toContain('another secret');
  } finally {
    await other.close();
  }
});
