import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { residentMemory } from '../../runtime/child/usage.js';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, infer, runnersOf, type Fixture } from './support.js';

const MIB = 1024 ** 2;
let fixture: Fixture;
let body: unknown;
/** Of a runner, as measured here: what it has of its own when it is up, and what is set aside for it before. */
let ownBytes: number;
let neededBytes: number;

beforeAll(async () => {
  fixture = await createFixture();
  body = { inputs: [imageInput(goldenPicture(fixture.trained).pixels)] };
  const place = await fixture.place();
  await fixture.route(place, await fixture.addVersion(place.model));
  const others = runnersOf(process.pid);
  const scratch = join(fixture.folder, 'measured');
  const server = await fixture.serve(place.environment, { scratch });
  ownBytes = residentMemory(newRunners(others)[0] ?? 0)?.ownBytes ?? 0;
  const [digest = ''] = readdirSync(join(scratch, 'packages'));
  const files = readdirSync(join(scratch, 'packages', digest)).filter((file) => file !== 'manifest.json');
  neededBytes = 100 * MIB + 4 * files.reduce((sum, file) => sum + statSync(join(scratch, 'packages', digest, file)).size, 0);
  await server.close();
});
afterAll(() => fixture?.close());

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();
const gauge = (text: string, name: string): number => Number(new RegExp(`^perennial_${name} (\\S+)$`, 'm').exec(text)?.[1]);
/** A budget in which one more runner can be started beside so many that are up, and one that just cannot beside one more. */
const roomBeside = (runners: number): number => Math.round(280 * MIB + (runners + 0.5) * ownBytes + neededBytes);
/** Runners that were not there before. */
const newRunners = (others: readonly number[]): number[] => runnersOf(process.pid).filter((pid) => !others.includes(pid));

test('versions that no route names are unloaded for one that a route names, least recently used first; their processes are gone, and what is routed never is', async () => {
  const [one, other] = [await fixture.place(), await fixture.place()];
  const { environment } = one;
  const second = { model: other.model, environment };
  const versions = [await fixture.addVersion(one.model), await fixture.addVersion(one.model), await fixture.addVersion(one.model)];
  const served = async (model: string, version: number | undefined) => until(async () => expect((await infer(server.url, fixture.token, model, body)).parameters.version).toBe(version));
  const others = runnersOf(process.pid);
  await fixture.route(one, versions[0] ?? 0);
  const memoryBytes = roomBeside(2);
  const server = await fixture.serve(environment, { limits: { memoryBytes } });
  await served(one.model, versions[0]);
  const [oldest = 0] = newRunners(others);
  for (const version of versions.slice(1)) {
    await fixture.route(one, version);
    await served(one.model, version);
  }
  const warm = newRunners(others);
  expect(warm).toHaveLength(3);
  const before = await metricsOf(server.url);
  expect(gauge(before, 'memory_budget_bytes')).toBe(memoryBytes);
  expect(before).not.toContain('perennial_versions_unloaded_total{');
  for (const version of versions) expect(before).toMatch(new RegExp(`perennial_runner_resident_bytes\\{model="${one.model}",version="${version}"\\} [1-9]`));

  await fixture.route(second, await fixture.addVersion(second.model));
  await served(second.model, 1);
  expect(newRunners(others)).not.toContain(oldest);
  expect(existsSync(`/proc/${oldest}`)).toBe(false);
  expect(server.problems.join('\n')).toContain(`${one.model}@${versions[0]}, which no route names, is unloaded: ${second.model}@1 needs its memory`);
  const after = await metricsOf(server.url);
  expect(after).toContain('perennial_versions_unloaded_total{reason="memory"} 1');
  const own = newRunners(others).map((pid) => residentMemory(pid)?.ownBytes ?? 0);
  expect(gauge(after, 'memory_used_bytes')).toBeLessThan(memoryBytes);
  expect(own).toHaveLength(3);
  await server.close();
  expect(newRunners(others)).toEqual([]);
});

test('a version that cannot fit beside those that routes name is refused before its package is fetched or a process is started, and the server says so once', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  const others = runnersOf(process.pid);
  const first = await fixture.addVersion(model);
  await fixture.route(place, first);
  const scratch = join(fixture.folder, `scratch-${environment}`);
  const server = await fixture.serve(environment, { scratch, limits: { memoryBytes: roomBeside(0) } });
  const [runner = 0] = newRunners(others);
  const packages = readdirSync(join(scratch, 'packages'));
  expect((await (await fetch(`${server.url}/v2/health/ready`)).json())).toEqual({ ready: true });

  const generation = await fixture.route(place, await fixture.addVersion(model));
  const { stores } = fixture.database;
  await until(async () => expect(await stores.replicaFailures.list(environment, model, generation)).toMatchObject([{ code: 'release/memory', message: expect.stringMatching(/needs about \d+ MiB, and \d+ MiB of the \d+ MiB for runners are free/) as string }]));
  expect((await infer(server.url, fixture.token, model, body)).parameters.version).toBe(first);
  expect(newRunners(others)).toEqual([runner]);
  expect(readdirSync(join(scratch, 'packages'))).toEqual(packages);
  const response = await fetch(`${server.url}/v2/health/ready`);
  expect([response.status, await response.json()]).toEqual([200, { ready: true, short: ['memory'] }]);
  expect(gauge(await metricsOf(server.url), 'memory_short')).toBe(1);
  await new Promise((wake) => setTimeout(wake, 6_000)); // it is tried again every five seconds
  expect(server.problems.filter((problem) => problem.includes('release/memory') || problem.includes('needs about'))).toHaveLength(1);
  await fixture.route(place, first);
  await until(async () => expect((await infer(server.url, fixture.token, model, body)).parameters).toMatchObject({ version: first, generation: generation + 1 }));
  await server.close();
});

test('a restarted server loads what was live before behind its routes, for what is left of its time and where there is memory; it stands in again', async () => {
  const { environment } = await fixture.place();
  const { stores } = fixture.database;
  /** A model that was routed to versions 1 and 2, and then to those named. */
  const routed = async ({ then = [], keepWarmMs = 60_000, where = environment }: { then?: number[]; keepWarmMs?: number; where?: string } = {}) => {
    const { model } = await fixture.place();
    await Promise.all([fixture.addVersion(model), fixture.addVersion(model)]);
    for (const version of [1, 2, ...then]) await fixture.route({ model, environment: where }, version, keepWarmMs);
    return model;
  };
  const [kept, rolledBack, quarantined, over] = [await routed({ then: [2] }), await routed({ then: [1] }), await routed(), await routed({ keepWarmMs: 1 })];
  for (const to of ['tested', 'approved', 'live', 'quarantined'] as const) await stores.versions.transition({ model: quarantined, version: 1, to, by: 'test', why: 'test', eventId: `${quarantined}-${to}` });
  const others = runnersOf(process.pid);
  const server = await fixture.serve(environment, { limits: { hungMs: 2_000 } });
  await until(() => expect(server.problems.join('\n')).toContain(`${kept}@1, which was live before, is kept warm again`));
  await until(async () => expect((await metricsOf(server.url)).match(/^perennial_runner_ready\{.*\} 1$/gm)).toHaveLength(5));
  const loaded = await metricsOf(server.url);
  for (const [model, version] of [[kept, 1], [kept, 2], [rolledBack, 1], [quarantined, 2], [over, 2]]) expect(loaded).toContain(`perennial_runner_ready{model="${model}",version="${version}"} 1`);

  const recalled = newRunners(others).at(-1); // children are listed as they were started
  for (const pid of newRunners(others)) if (pid !== recalled) process.kill(pid, 'SIGSTOP'); // as in an endless loop
  expect((await infer(server.url, fixture.token, kept, body)).parameters.version).toBe(1);
  await server.close();
  expect(newRunners(others)).toEqual([]);

  const { environment: small } = await fixture.place();
  const moment = await routed({ where: small, keepWarmMs: 20_000 });
  const brief = await fixture.serve(small);
  await until(() => expect(brief.problems.join('\n')).toContain(`${moment}@1, which was live before, is kept warm again`));
  await until(async () => expect(await metricsOf(brief.url)).toContain('perennial_versions_unloaded_total{reason="keep-warm"} 1'), 25_000);
  expect(newRunners(others)).toHaveLength(1);
  await brief.close();

  const { environment: full } = await fixture.place();
  const alone = await routed({ where: full });
  const tight = await fixture.serve(full, { limits: { memoryBytes: roomBeside(0) } });
  await until(() => expect(tight.problems.join('\n')).toContain(`the version of ${alone} that was live before is not kept warm again: ${alone}@1 needs about`));
  expect(newRunners(others)).toHaveLength(1);
  await tight.close();
}, 120_000);

test('nothing but the route says what is served: a registered version without one is not loaded because somebody asks for it', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  const others = runnersOf(process.pid);
  const [first, unapproved] = [await fixture.addVersion(model), await fixture.addVersion(model)];
  await fixture.route(place, first);
  const server = await fixture.serve(environment);
  for (const path of ['', '/ready', '/infer']) {
    const answer = await ask(server.url, fixture.token, `/v2/models/${model}/versions/${unapproved}${path}`, path === '/infer' ? body : undefined);
    expect(answer).toMatchObject({ status: 404, body: { error: `Version ${unapproved} of ${model} is not served here.` } });
  }
  expect(newRunners(others)).toHaveLength(1);
  await server.close();
});
