import { once } from 'node:events';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quantiles } from '../../domain/quantiles.js';
import { until } from '../support/until.js';
import { counted, freePort, heldBy, startServerProcess, usedBytes } from './server-process.js';
import { createLoad } from './soak/load.js';
import { createFixture, goldenPicture, runnersOf, type Fixture } from './support.js';

/** `PERENNIAL_SOAK_SECONDS`: for a shorter try. */
const SECONDS = Number(process.env['PERENNIAL_SOAK_SECONDS'] ?? 600);
const SHARE_OF_PEAK = 0.7;
const SWITCH_EVERY_MS = 20_000;
/** The version before stands in for this long. */
const KEPT_WARM_MS = 10_000;
/** After a switch: while the version before can stand in; once it cannot. */
const KILLED_AFTER_MS = { covered: 2_000, alone: 14_000 } as const;
const CONNECTIONS = 256;
/** Two batches of 128 rows. */
const IN_HANDS = 256;
/** That a process is gone, and that its requests failed, by a server and a client that both share the machine with the load. */
const NOTICED_WITHIN_MS = 5_000;
const MEMORY = { times: 1.15, more: 8 * 1024 ** 2 } as const;

let fixture: Fixture;
beforeAll(async () => { fixture = await createFixture(); });
afterAll(() => fixture?.close());

test('ten minutes of versions that change and runners that are killed, at 70% of peak, fail nobody whom a stand-in could answer', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model), KEPT_WARM_MS);
  const port = await freePort(environment);
  const server = await startServerProcess(fixture, environment, port);
  const { pid = 0 } = server;
  const url = `http://127.0.0.1:${port}`;
  const pixels = Buffer.from(goldenPicture(fixture.trained).pixels);
  const header = Buffer.from(JSON.stringify({ inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', parameters: { binary_data_size: pixels.length } }] }));
  const load = createLoad({
    url, path: `/v2/models/${model}/infer`, body: Buffer.concat([header, pixels]),
    headers: { authorization: `Bearer ${fixture.token}`, 'content-type': 'application/octet-stream', 'inference-header-content-length': String(header.length) },
  }, CONNECTIONS);
  try {
    await load.closed(2, 32);
    const peak = await load.closed(5, 32);
    expect(load.failures).toEqual([]);
    load.latencies.length = 0;

    const stop = new AbortController();
    const running = load.poisson(SHARE_OF_PEAK * peak, 20_261_122, stop.signal);
    const began = performance.now();
    const lone: number[] = [];
    const used: number[] = [];
    const resident: number[] = [];
    let kills = 0;
    for (let turn = 0; performance.now() - began < SECONDS * 1_000; turn += 1) {
      const turnBegan = performance.now();
      const others = runnersOf(pid);
      const version = await fixture.addVersion(model);
      await fixture.route(place, version, KEPT_WARM_MS);
      await until(() => { expect(load.version).toBe(version); }, 60_000);
      const isCovered = turn % 2 === 0;
      await sleep(isCovered ? KILLED_AFTER_MS.covered : KILLED_AFTER_MS.alone);
      const [newest] = runnersOf(pid).filter((one) => !others.includes(one));
      if (newest === undefined) throw new Error('the new version has no runner');
      if (!isCovered) lone.push(performance.now());
      process.kill(newest, 'SIGKILL');
      kills += 1;
      await until(() => { expect(load.version).toBe(version); }, 60_000);
      await sleep(Math.max(0, SWITCH_EVERY_MS - (performance.now() - turnBegan)));
      used.push(await usedBytes(server));
      resident.push(heldBy(pid).bytes[0] ?? 0);
    }
    stop.abort();
    await running;

    const seconds = (performance.now() - began) / 1_000;
    const sinceLoneKillMs = (at: number) => Math.min(...lone.map((killedAt) => (at >= killedAt ? at - killedAt : Infinity)));
    const refused = new Map<string, number[]>();
    for (const { status, at, text } of load.failures) {
      const kind = `${status} ${text.slice(0, 80)}`;
      refused.set(kind, [...(refused.get(kind) ?? []), sinceLoneKillMs(at) / 1_000]);
    }
    const refusals = [...refused].map(([kind, since]) => `${since.length} × ${kind}, ${Math.min(...since).toFixed(1)} to ${Math.max(...since).toFixed(1)} s after a runner was killed that nothing stood in for`);
    const [p50, p99] = quantiles(load.latencies, [0.5, 0.99]);
    const mb = (bytes = 0) => (bytes / 1024 ** 2).toFixed(0);
    process.stdout.write(`peak ${peak.toFixed(0)} requests/s; ${seconds.toFixed(0)} s at ${(load.latencies.length / seconds).toFixed(0)}, ${used.length} switches, ${kills} runners killed, ${lone.length} of them with no stand-in; ${load.ids.length} answered (p50 ${p50?.toFixed(1)} ms, p99 ${p99?.toFixed(0)} ms), ${load.failures.length} refused (${refusals.join('; ')}); in use ${used.map(mb).join(' ')} MB, resident ${mb(resident[0])} to ${mb(resident.at(-1))} MB; load average ${loadavg().map((one) => one.toFixed(1)).join(' ')}\n`);

    // Who was in the hands of a runner that nobody stands in for is told to come back; no one else is refused.
    for (const { status, at, text } of load.failures) {
      expect({ status, text }).toEqual({ status: 503, text: expect.stringContaining('The model stopped while it computed this prediction') as string });
      expect(sinceLoneKillMs(at)).toBeLessThan(NOTICED_WITHIN_MS);
    }
    expect(load.failures.length).toBeLessThanOrEqual(lone.length * IN_HANDS);
    const [first = 0] = used;
    expect(used.at(-1)).toBeLessThan(first * MEMORY.times + MEMORY.more);
    expect(await counted(url, 'runner_events_total', /event="crashed"/)).toBe(kills);

    const { db, stores } = fixture.database;
    expect(new Set(load.ids).size).toBe(load.ids.length);
    await until(async () => expect(await stores.predictions.count({ model, environment })).toBe(load.ids.length), 120_000);
    for (let from = 0; from < load.ids.length; from += 20_000) {
      const ids = load.ids.slice(from, from + 20_000);
      expect(await db.query<{ n: number }>('select count(*) as n from predictions where model = $1 and id = any($2::uuid[])', [model, ids])).toEqual([{ n: ids.length }]);
    }
    await load.close();
    server.kill('SIGTERM');
    expect((await once(server, 'exit'))[0]).toBe(0);
  } finally {
    server.kill('SIGKILL');
  }
}, (SECONDS + 600) * 1_000);
