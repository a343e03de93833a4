import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.js';
import { createBalancer } from './balancer.js';
import { freePort, startServerProcess } from './server-process.js';
import { createFixture, goldenPicture, imageInput, infer, type Fixture, type InferAnswer } from './support.js';

let fixture: Fixture;
const processes: ChildProcess[] = [];

beforeAll(async () => { fixture = await createFixture(); });
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await fixture?.close();
});

async function start(environment: string, port: number, replica = '1'): Promise<ChildProcess> {
  const child = await startServerProcess(fixture, environment, port, replica);
  processes.push(child);
  return child;
}

test('a killed server loses no answered prediction, and serves again while PostgreSQL is away', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  const port = await freePort(environment);
  const url = `http://127.0.0.1:${port}`;
  const { pixels } = goldenPicture(fixture.trained);
  const body = { inputs: [imageInput(pixels)] };
  const server = await start(environment, port);
  await infer(url, fixture.token, model, body);

  fixture.proxy.cut();
  const answered: InferAnswer[] = [];
  const loops = Promise.allSettled(Array.from({ length: 4 }, async () => {
    for (;;) answered.push(await infer(url, fixture.token, model, body));
  }));
  await until(() => expect(answered.length).toBeGreaterThan(40));
  server.kill('SIGKILL');
  await loops;

  const again = await start(environment, port);
  const answer = await infer(url, fixture.token, model, body);
  expect(answer.parameters).toMatchObject({ version: 1, generation: 1 });
  const ids = [...answered, answer].flatMap((one) => one.parameters.prediction_ids);
  expect(new Set(ids).size).toBe(ids.length);

  fixture.proxy.restore();
  const { db } = fixture.database;
  await until(async () => {
    const [row] = await db.query<{ n: number }>('select count(*) as n from predictions where model = $1 and id = any($2::uuid[])', [model, ids]);
    expect(row?.n).toBe(ids.length);
  });
  again.kill('SIGTERM');
  const [code] = (await once(again, 'exit')) as [number | null];
  expect(code).toBe(0);
});

test('replicas that are replaced one after another under traffic fail no request, and every answer is in the log once', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  const port = await freePort(environment);
  const replicas = new Map([['1', await start(environment, port)], ['2', await start(environment, port, '2')]]);
  const { stores } = fixture.database;
  const balancer = createBalancer(async () => (await stores.replicas.live(environment)).map(({ url }) => url), { path: `/v2/models/${model}/infer`, token: fixture.token });
  await until(() => expect(balancer.ready()).toHaveLength(2));
  const { pixels } = goldenPicture(fixture.trained);
  const running = balancer.run(JSON.stringify({ inputs: [imageInput(pixels)] }), 6);
  for (const [replica, child] of replicas) {
    const before = running.ids.length;
    await until(() => expect(running.ids.length).toBeGreaterThan(before + 20));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    replicas.set(replica, await start(environment, port, replica));
    await until(() => expect(balancer.ready()).toHaveLength(2));
  }
  await running.stop();
  balancer.close();
  expect(running.failures).toEqual([]);
  expect(new Set(running.ids).size).toBe(running.ids.length);
  await until(async () => expect(await stores.predictions.count({ model, environment })).toBe(running.ids.length));
  for (const child of replicas.values()) child.kill('SIGTERM');
}, 120_000);
