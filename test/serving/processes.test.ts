import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choosePorts } from '../../infra/stack/ports.js';
import { builtFile } from '../../runtime/child/program-path.js';
import { mergedMetrics } from '../../serving/replica/merged-metrics.js';
import { servedByAll } from '../../serving/replica/served-by-all.js';
import { until } from '../support/until.js';
import { createFixture, goldenPicture, imageInput, runnersOf, type Fixture, type InferAnswer } from './support.js';

let fixture: Fixture;
const children: ChildProcess[] = [];
const said: string[] = [];
beforeAll(async () => { fixture = await createFixture(); });
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await fixture?.close();
});

/** A replica of two HTTP processes, as the supervisor starts it. */
async function start(environment: string, port: number): Promise<ChildProcess> {
  const name = `PERENNIAL_SERVER_${environment.toUpperCase().replaceAll('-', '_')}_PORT`;
  const child = fork(builtFile('workers/server.js'), ['--environment', environment], {
    env: { ...process.env, ...fixture.stack.env, PERENNIAL_HOME: join(fixture.folder, 'home'), DATABASE_URL: fixture.proxyUrl, S3_BUCKET: fixture.bucket, PERENNIAL_SERVER_DRAIN_MS: '500', PERENNIAL_SERVER_PROCESSES: '2', [name]: String(port) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.on('data', (chunk: Buffer) => { said.push(chunk.toString()); });
  children.push(child);
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => { throw new Error(`the server ended with code ${String(code)}`); })])) as [unknown];
  expect(message).toEqual({ ready: true });
  return child;
}

const processesOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter((one) => one !== '').map(Number)
  .filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('workers/server.js'));

test('two HTTP processes answer at one port by one runner; one that is killed costs no other request and comes back, and the log, the metrics and the lease are the replica\'s', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  const { port } = await choosePorts(['port'], undefined, { home: environment });
  const server = await start(environment, port);
  const pid = server.pid ?? 0;
  const { stores } = fixture.database;
  expect(processesOf(pid)).toHaveLength(2);
  expect(runnersOf(pid)).toHaveLength(1);

  const body = JSON.stringify({ inputs: [imageInput(goldenPicture(fixture.trained).pixels)] });
  const answered: InferAnswer[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  /** Asks over one connection for as long as it lives, then over the next. */
  const caller = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      try {
        answered.push(await post(agent, port, `/v2/models/${model}/infer`, fixture.token, body));
      } catch (error) {
        failures.push(error);
      }
    }
    agent.destroy();
  };
  const callers = Array.from({ length: 6 }, caller);
  await until(() => expect(answered.length).toBeGreaterThan(50));
  const [killed = 0, other = 0] = processesOf(pid);
  // A process that stands still has one connection handed to it that it does not take; the next ones go to the other.
  process.kill(killed, 'SIGSTOP');
  const statuses: number[] = [];
  const asking = Array.from({ length: 4 }, async () => {
    const [response] = (await once(get({ agent: false, port, host: '127.0.0.1', path: '/v2/health/live' }), 'response')) as [IncomingMessage];
    response.resume();
    statuses.push(response.statusCode ?? 0);
  });
  await until(() => expect(statuses).toHaveLength(3));
  process.kill(killed, 'SIGKILL');
  await Promise.all(asking);
  expect(statuses).toEqual([200, 200, 200, 200]);
  await until(() => expect(processesOf(pid).filter((one) => one !== killed)).toHaveLength(2));
  await until(() => expect(said.join('')).toContain('takes requests again'), 20_000);
  expect(processesOf(pid)).toContain(other);
  expect(runnersOf(pid)).toHaveLength(1);
  const before = answered.length;
  await until(() => expect(answered.length).toBeGreaterThan(before + 50));

  expect(failures.length).toBeLessThanOrEqual(6); // connections of the process that was killed

  // Both processes find the same next runner.
  const [runner = 0] = runnersOf(pid);
  process.kill(runner, 'SIGKILL');
  const atKill = answered.length;
  await until(() => expect(answered.length).toBeGreaterThan(atKill + 50), 20_000);
  await until(() => expect(said.join('').match(/ restarted: pid/g)).toHaveLength(2), 20_000);
  expect(runnersOf(pid)).toHaveLength(1);
  stopped = true;
  await Promise.all(callers);

  // Of what the killed process had counted, all but its last second.
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('perennial_ready 1\n');
  expect(metrics).toContain('perennial_lease_held 1\n');
  const counted = Number(/perennial_requests_total\{route="\/v2\/models\/:model\/infer",status="200"\} (\d+)/.exec(metrics)?.[1]);
  expect(counted).toBeGreaterThan(answered.length / 2);
  expect(counted).toBeLessThanOrEqual(answered.length + 6);

  await until(async () => expect(await stores.replicas.live(environment)).toMatchObject([{ id: `${environment}-1`, url: `http://127.0.0.1:${port}` }]));
  const generation = await fixture.route(place, await fixture.addVersion(model));
  const second = async () => (await post(new Agent(), port, `/v2/models/${model}/infer`, fixture.token, body)).parameters.generation;
  await until(async () => expect(await Promise.all([second(), second(), second()])).toEqual([generation, generation, generation]), 20_000);

  server.kill('SIGTERM');
  expect((await once(server, 'exit'))[0]).toBe(0);
  expect(await stores.replicas.live(environment)).toEqual([]);
  const ids = answered.flatMap(({ parameters }) => parameters.prediction_ids);
  await until(async () => {
    const [row] = await fixture.database.db.query<{ n: number }>('select count(*) as n from predictions where model = $1 and id = any($2::uuid[])', [model, ids]);
    expect(row?.n).toBe(ids.length);
  });
}, 120_000);

async function post(agent: Agent, port: number, path: string, token: string, body: string): Promise<InferAnswer> {
  const sent = request({ agent, port, host: '127.0.0.1', path, method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${answer}`);
  return JSON.parse(answer) as InferAnswer;
}

test('counters of processes are summed, also of one that ended; gauges are what they are of the replica', () => {
  const of = (answers: number, ready: number, bytes: number) => `# TYPE perennial_requests_total counter\nperennial_requests_total{route="/v2",status="200"} ${answers}\n# TYPE perennial_ready gauge\nperennial_ready ${ready}\n`
    + `# TYPE perennial_batch_rows histogram\nperennial_batch_rows_bucket{model="m",le="1"} ${answers}\n# TYPE perennial_runner_resident_bytes gauge\nperennial_runner_resident_bytes{model="m"} ${bytes}\n# TYPE perennial_queued_rows gauge\nperennial_queued_rows{model="m"} 2\n`;
  expect(mergedMetrics([of(3, 1, 100), of(4, 0, 90)], of(10, 1, 80)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'perennial_requests_total{route="/v2",status="200"} 17', 'perennial_ready 0', 'perennial_batch_rows_bucket{model="m",le="1"} 17', 'perennial_runner_resident_bytes{model="m"} 100', 'perennial_queued_rows{model="m"} 4',
  ]);
});

test('a replica serves what all of its processes serve, and of generations the oldest', () => {
  const of = (generation: number, model = 'churn') => ({ model, version: generation, generation });
  expect(servedByAll([[of(3), of(1, 'cars')], [of(2)]])).toEqual([of(2)]);
  expect(servedByAll([])).toEqual([]);
});
