import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.js';
import { ask, createFixture, goldenPicture, imageInput, infer, runnersOf, type Fixture, type InferAnswer } from './support.js';

let fixture: Fixture;
let pixels: number[];

beforeAll(async () => {
  fixture = await createFixture();
  ({ pixels } = goldenPicture(fixture.trained));
});
afterAll(() => fixture?.close());

const picture = (parameters?: Record<string, unknown>) => ({ inputs: [imageInput(pixels)], ...(parameters ? { parameters } : {}) });
const probabilitiesOf = ({ outputs }: InferAnswer): number[] => (outputs.find(({ name }) => name === 'probabilities')?.data ?? []).map(Number);
const newestRunner = (others: readonly number[]): number => {
  const runner = runnersOf(process.pid).find((pid) => !others.includes(pid));
  if (runner === undefined) throw new Error('no runner is there');
  return runner;
};

test('requests of a version that loops or crashes are answered by the one before while that is kept warm, and the record says so', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  const [first, second] = [await fixture.addVersion(model), await fixture.addVersion(model)];
  await fixture.route(place, first);
  const server = await fixture.serve(environment, { limits: { hungMs: 2_000 } });
  const before = runnersOf(process.pid);
  const generation = await fixture.route(place, second);
  await until(async () => expect((await infer(server.url, fixture.token, model, picture())).parameters.version).toBe(second));
  const runner = newestRunner(before);

  process.kill(runner, 'SIGSTOP'); // as in an endless loop: it is there, and answers nothing
  const path = `/v2/models/${model}/infer`;
  const asked = Array.from({ length: 6 }, (_, at) => infer(server.url, fixture.token, model, { ...picture({ light: 'night' }), id: `looping-${at}` }));
  const exactly = ask(server.url, fixture.token, `/v2/models/${model}/versions/${second}/infer`, picture());
  const answers = await Promise.all(asked);
  for (const { parameters, model_version } of answers) expect([parameters.version, parameters.generation, model_version]).toEqual([first, generation, String(first)]);
  expect([200, 503]).toContain((await exactly).status); // nobody else may answer for a version that is named: in its hands 503, waiting the one that is started again
  await until(() => expect(server.problems.join()).toContain(`runner of ${model}@${second} restarted`));
  await until(async () => expect((await infer(server.url, fixture.token, model, picture())).parameters.version).toBe(second));

  const { predictions } = fixture.database.stores;
  await until(async () => expect(await predictions.findByRequest(model, 'looping-0')).toMatchObject([{ version: first, attributes: { light: 'night', 'instead-of': String(second) } }]));
  expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(new RegExp(`model="${model}",version="${second}",event="failed-over"} [6-9]`));

  // A rollback left the newer version for a reason: it stands in for nobody.
  await fixture.route(place, first);
  await until(async () => expect((await infer(server.url, fixture.token, model, picture())).parameters.version).toBe(first));
  for (const pid of runnersOf(process.pid)) if (before.includes(pid)) process.kill(pid, 'SIGSTOP');
  expect((await ask(server.url, fixture.token, path, picture())).status).toBe(503);
  await until(async () => expect((await infer(server.url, fixture.token, model, picture())).parameters).toMatchObject({ version: first }));
  await server.close();
});

test('a full queue sheds with the time to come back after, a caller\'s own deadline is kept, and neither harms the runner', async () => {
  const place = await fixture.place();
  const { model, environment } = place;
  await fixture.route(place, await fixture.addVersion(model));
  const others = runnersOf(process.pid);
  const server = await fixture.serve(environment, { limits: { queueRows: 4, hungMs: 60_000 } });
  const path = `/v2/models/${model}/infer`;
  const runner = newestRunner(others);
  const golden = await infer(server.url, fixture.token, model, picture());

  process.kill(runner, 'SIGSTOP');
  const late = await ask(server.url, fixture.token, path, picture({ timeout: 200_000 }));
  expect([late.status, late.headers.get('retry-after')]).toEqual([504, '1']);
  const held = Array.from({ length: 12 }, () => ask(server.url, fixture.token, path, picture()));
  const shed = await Promise.race(held.map(async (answer) => {
    const { status, headers } = await answer;
    return [status, Number(headers.get('retry-after'))];
  }));
  expect(shed).toEqual([503, expect.any(Number)]);
  expect(shed[1]).toBeGreaterThanOrEqual(1);
  process.kill(runner, 'SIGCONT');
  const answers = await Promise.all(held);
  const answered = answers.filter(({ status }) => status === 200);
  expect(answered.length).toBeGreaterThanOrEqual(4);
  expect(probabilitiesOf(golden)).toHaveLength(2);
  for (const { body } of answered) expect(probabilitiesOf(body as InferAnswer)).toEqual(probabilitiesOf(golden).map((value) => expect.closeTo(value, 5) as number)); // batches of other sizes are rounded otherwise
  expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  expect(runnersOf(process.pid)).toContain(runner);
  expect((await ask(server.url, fixture.token, path, picture({ timeout: 'soon' }))).status).toBe(200); // a text is an attribute, as ever
  expect((await ask(server.url, fixture.token, path, picture({ timeout: 0.5 }))).status).toBe(422);
  await server.close();
});
