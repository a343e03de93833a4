import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { residentBytes } from '../../runtime/child/usage.js';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, infer, runnersOf, tfjsNode, type Fixture } from './support.js';
import { passenger, trainTable } from './tables.js';

const MIB = 1024 ** 2;
const LIMIT_MB = 900;
let fixture: Fixture;

beforeAll(async () => { fixture = await createFixture(); });
afterAll(() => fixture?.close());

/** TensorFlow, of which networks that take pictures keep 1 MiB for each row that they predict. */
function leakyTensorFlow(): string {
  const path = join(mkdtempSync(join(fixture.folder, 'leaky-')), 'index.cjs');
  writeFileSync(path, `
    const tf = require(${JSON.stringify(tfjsNode)});
    const loadLayersModel = async (...args) => {
      const network = await tf.loadLayersModel(...args);
      const [first] = network.layers;
      if (network.inputs[0].shape.length !== 4) return network;
      const apply = first.apply.bind(first);
      first.apply = (inputs, ...more) => { tf.keep(tf.fill([inputs.shape[0], 256, 1024], 1)); return apply(inputs, ...more); };
      return network;
    };
    module.exports = new Proxy(tf, { get: (target, name) => (name === 'loadLayersModel' ? loadLayersModel : target[name]) });
  `);
  return path;
}

test('a runner that leaks is replaced without a failed request, and killed where it leaks too fast for that; what no route names makes room, and its neighbour notices nothing', async () => {
  const [leaking, neighbour] = [await fixture.place(), await fixture.place()];
  const { environment } = leaking;
  const trained = await trainTable(fixture);
  for (const version of [await fixture.addVersion(neighbour.model, { trained }), await fixture.addVersion(neighbour.model, { trained })]) await fixture.route({ model: neighbour.model, environment }, version);
  const others = runnersOf(process.pid);
  // What is shared, two versions of the neighbour, and some of what the leaking runner comes to before it is replaced.
  const server = await fixture.serve(environment, { tfjsNode: leakyTensorFlow(), limits: { runnerMemoryMb: LIMIT_MB, memoryBytes: 700 * MIB } });
  const runners = () => runnersOf(process.pid).filter((pid) => !others.includes(pid));
  await until(() => expect(server.problems.join('\n')).toContain(`${neighbour.model}@1, which was live before, is kept warm again`));
  const [routed = 0] = runners();
  await fixture.route(leaking, await fixture.addVersion(leaking.model));
  const { pixels } = goldenPicture(fixture.trained);
  const picture = (rows: number) => ({ inputs: [imageInput(pixels, rows)] });
  await until(() => infer(server.url, fixture.token, leaking.model, picture(1)));
  const [leaky = 0] = runners().slice(-1);
  const startBytes = residentBytes(leaky) ?? 0;

  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const atNeighbour = (async () => {
    const row = { inputs: Object.entries(passenger).map(([name, value]) => ({ name, shape: [1], datatype: typeof value === 'number' ? 'FP64' : typeof value === 'boolean' ? 'BOOL' : 'BYTES', data: [value] })) };
    for (; !isOver; answered += 1) {
      await infer(server.url, fixture.token, neighbour.model, row).catch((error: unknown) => failures.push(String(error)));
      await sleep(20);
    }
  })();

  const said = (text: string) => server.problems.filter((problem) => problem.includes(text));
  const event = (name: string) => said(`runner of ${leaking.model}@1 ${name}`);
  // Quickly past the point from which it is replaced, then slowly, so that it does not come to its limit before.
  while ((residentBytes(leaky) ?? 0) < startBytes + 0.72 * (LIMIT_MB * MIB - startBytes)) await infer(server.url, fixture.token, leaking.model, picture(16));
  const replaced = until(() => expect(event('recycled')).toHaveLength(1));
  for (let isDone = false; !isDone; await sleep(250)) {
    await infer(server.url, fixture.token, leaking.model, picture(1)); // throws where it fails
    isDone = await Promise.race([replaced.then(() => true), sleep(1, false)]);
  }
  await until(() => expect(runners()).not.toContain(leaky));
  expect(event('crashed')).toEqual([]);
  expect(said(`${neighbour.model}@1, which no route names, is unloaded: runners have grown`)).toHaveLength(1);
  expect(said('more than the 700 MiB that they may have, and routes name every version that is loaded')).toHaveLength(1);
  await until(() => expect(said('less than the 700 MiB that they may have')).toHaveLength(1));

  const statuses = new Set<number>();
  await until(async () => {
    const answers = await Promise.all([1, 2].map(() => ask(server.url, fixture.token, `/v2/models/${leaking.model}/infer`, picture(256))));
    for (const { status } of answers) statuses.add(status);
    expect(event('crashed: memory')).toHaveLength(1);
  });
  expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  await until(() => infer(server.url, fixture.token, leaking.model, picture(1)));
  isOver = true;
  await atNeighbour;
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(20);
  expect(runners()).toContain(routed);
  await server.close();
}, 120_000);
