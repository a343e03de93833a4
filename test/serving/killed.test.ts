import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choosePorts } from '../../infra/stack/ports.js';
import { builtFile } from '../../runtime/child/program-path.js';
import { until } from '../support/until.js';
import { createFixture, goldenPicture, imageInput, infer, type Fixture, type InferAnswer } from './support.js';

let fixture: Fixture;
const processes: ChildProcess[] = [];

beforeAll(async () => { fixture = await createFixture(); });
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await fixture?.close();
});

/** The server as the supervisor starts it: a process of its own. */
async function start(environment: string, port: number): Promise<ChildProcess> {
  const name = `PERENNIAL_SERVER_${environment.toUpperCase().replaceAll('-', '_')}_PORT`;
  const child = fork(builtFile('workers/server.js'), ['--environment', environment, '--replica', '1'], {
    env: { ...process.env, ...fixture.stack.env, PERENNIAL_HOME: join(fixture.folder, 'home'), DATABASE_URL: fixture.proxyUrl, S3_BUCKET: fixture.bucket, [name]: String(port) }, stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  processes.push(child);
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => { throw new Error(`the server ended with code ${String(code)}`); })])) as [unknown];
  expect(message).toEqual({ ready: true });
  return child;
}

test('a killed server loses no answered prediction, and serves again while PostgreSQL is away', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  const { port } = await choosePorts(['port'], undefined, { home: environment });
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
