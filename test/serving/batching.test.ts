import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Batcher, type BatcherLimits, type Predictor } from '../../serving/runner/batcher.js';
import { LearnedLatency } from '../../serving/runner/latency.js';
import { RowsRefused, VersionDown } from '../../serving/runner/waiting.js';

/** What a batch costs here, in milliseconds. */
const costMs = (rows: number) => 4 + 0.5 * rows;
const LIMITS: BatcherLimits = { batchRows: 1_000, latencyGoalMs: 60, inFlight: 1, queueRows: 10_000, deadlineMs: 10_000, hungMs: 5_000 };

beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] }); });
afterEach(() => { vi.useRealTimers(); });

/** A batcher of a version that gives a row's one pixel back, in the time above; it refuses batches in which a pixel is 13. */
function version(limits: Partial<BatcherLimits> = {}, cost = costMs) {
  const batches: number[] = [];
  const hung = vi.fn();
  const batcher = new Batcher(1, { ...LIMITS, ...limits }, hung);
  const predictor: Predictor = {
    async predict({ rows, input }) {
      batches.push(rows);
      await new Promise((computed) => setTimeout(computed, cost(rows)));
      const pixels = input as Uint8Array;
      if (pixels.includes(13)) throw new RowsRefused(new Error('unlucky'));
      return Float32Array.from(pixels);
    },
  };
  batcher.use(predictor);
  const ask = (pixels: number[], call = {}) => batcher.predict({ count: pixels.length, datatype: 'UINT8', input: Uint8Array.from(pixels), shape: [1, 1, 1] }, call).then((outputs) => [...outputs], (error: unknown) => error);
  /** What the version costs is known after this. */
  const learn = async () => {
    for (const rows of [1, 8, 2, 30, 4, 16]) {
      const answer = ask(Array<number>(rows).fill(1));
      await vi.advanceTimersByTimeAsync(100);
      await answer;
    }
    batches.length = 0;
  };
  return { batcher, predictor, batches, hung, ask, learn };
}

test('a version\'s time as a function of rows is learned, and follows when it changes', () => {
  const learned = new LearnedLatency(() => 0);
  for (let batch = 0; batch < 20; batch += 1) learned.observe(1 + (batch * 7) % 32, costMs(1 + (batch * 7) % 32));
  expect(learned.expectedMs(20)).toBeCloseTo(costMs(20), 0);
  expect(learned.rowsWithin(costMs(25) + 0.5)).toBeGreaterThanOrEqual(24);
  expect(learned.rowsWithin(costMs(25))).toBeLessThanOrEqual(25);
  expect(learned.rowsWithin(1_000)).toBe(64); // twice of what was ever tried
  for (let batch = 0; batch < 200; batch += 1) learned.observe(1 + (batch * 7) % 32, 10 * costMs(1 + (batch * 7) % 32));
  expect(learned.expectedMs(20)).toBeGreaterThan(0.9 * 10 * costMs(20));
  expect(learned.rowsWithin(costMs(25))).toBe(1);
});

describe('a batch', () => {
  test('is sent at once to an idle runner, and takes what has come meanwhile to a busy one, each request its own answer', async () => {
    const { ask, batches } = version();
    const first = ask([1]);
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([1]);
    const others = [ask([2]), ask([3, 4]), ask([5])];
    await vi.advanceTimersByTimeAsync(50);
    expect(batches).toEqual([1, 4]);
    expect(await Promise.all([first, ...others])).toEqual([[1], [2], [3, 4], [5]]);
  });

  test('follows one that is computed only when it is full: a smaller one grows until the runner is idle', async () => {
    const { ask, batches } = version({ inFlight: 2, batchRows: 8 });
    const answers = [ask([1])];
    await vi.advanceTimersByTimeAsync(0);
    answers.push(ask([2]), ask([3]));
    await vi.advanceTimersByTimeAsync(2);
    expect(batches).toEqual([1]);
    answers.push(...Array.from({ length: 6 }, () => ask([4])));
    await vi.advanceTimersByTimeAsync(1);
    expect(batches).toEqual([1, 8]);
    answers.push(ask([5]), ask([6]));
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([1, 8, 2]);
    expect((await Promise.all(answers)).every(Array.isArray)).toBe(true);
  });

  test('holds as many rows, not requests, as the latency goal leaves time for', async () => {
    const { ask, batches, learn } = version();
    await learn();
    const wide = Array.from({ length: 30 }, () => ask(Array<number>(10).fill(1))); // 300 rows: 154 ms at once
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(wide);
    expect(batches.reduce((sum, rows) => sum + rows, 0)).toBe(300);
    expect(Math.max(...batches)).toBeLessThanOrEqual(112); // 60 ms
    expect(Math.max(...batches)).toBeGreaterThanOrEqual(50);
    for (const rows of batches.slice(0, -1)) expect(costMs(rows)).toBeGreaterThan(60 / 2 - 10); // late ones are still taken many at a time
  });

  test('does not shrink to single rows where none is done within the goal, as on a machine that has no time: the queue is worked off', async () => {
    const { ask, batches } = version({}, () => 45);
    for (let alone = 0; alone < 20; alone += 1) {
      const answer = ask([1]);
      await vi.advanceTimersByTimeAsync(50);
      await answer;
    }
    batches.length = 0;
    const waiting = Array.from({ length: 250 }, () => ask([1]));
    await vi.advanceTimersByTimeAsync(4_000);
    expect((await Promise.all(waiting)).filter((answer) => !Array.isArray(answer))).toEqual([]);
    expect(batches.length).toBeLessThan(60);
  });

  test('that is refused is computed in halves, so that the rows to blame fail alone', async () => {
    const { ask, batcher, batches } = version();
    const first = ask([1]);
    await vi.advanceTimersByTimeAsync(0);
    const others = [ask([2]), ask([13]), ask([3, 4]), ask([5])];
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, ...others])).toEqual([[1], [2], expect.objectContaining({ status: 500 }), [3, 4], [5]]);
    expect(batches).toContain(5);
    await batcher.drained();
  });

  test('holds nothing beside a request that may have ended a runner', async () => {
    const { ask, batches } = version({ inFlight: 2 });
    const answers = [ask([1]), ask([2]), ask([3, 3], { alone: true }), ask([4]), ask([5])];
    await vi.advanceTimersByTimeAsync(1);
    expect(batches).toEqual([2]);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([2, 2, 2]);
    expect(await Promise.all(answers)).toEqual([[1], [2], [3, 3], [4], [5]]);
  });
});

describe('deadlines and overload', () => {
  test('a request that is sure to be late is answered 504 and never computed; one that is given up at the runner does not end it', async () => {
    const { ask, batches, hung, learn } = version();
    await learn();
    const first = ask(Array<number>(20).fill(1)); // 14 ms
    await vi.advanceTimersByTimeAsync(1);
    const [hopeless, fine] = [ask(Array<number>(20).fill(2), { deadlineMs: 20 }), ask([3], { deadlineMs: 40 })];
    await vi.advanceTimersByTimeAsync(19);
    expect(await hopeless).toMatchObject({ status: 504 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, fine])).toEqual([Array(20).fill(1), [3]]);
    expect(batches).toEqual([20, 1]);
    const slow = ask(Array<number>(60).fill(4), { deadlineMs: 40 });
    await vi.advanceTimersByTimeAsync(2_000);
    const probe = ask(Array<number>(60).fill(4), { deadlineMs: 20 }); // nothing was measured lately: it is tried
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await slow).toEqual(Array(60).fill(4));
    expect(await probe).toMatchObject({ status: 504 });
    expect(batches.slice(2)).toEqual([60, 60]);
    expect(hung).not.toHaveBeenCalled();
  });

  test('a full queue, or one that would take longer than anybody waits, is answered 503 with the time to come back after', async () => {
    const full = version({ queueRows: 10 });
    const taken = [full.ask([1])];
    await vi.advanceTimersByTimeAsync(0);
    taken.push(full.ask(Array<number>(6).fill(2)), full.ask(Array<number>(4).fill(2)));
    expect(await full.ask([3])).toMatchObject({ status: 503, retryAfter: 1 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all(taken)).toHaveLength(3);

    const slow = version({ deadlineMs: 3_000 });
    await slow.learn();
    const waiting = Array.from({ length: 60 }, () => slow.ask(Array<number>(100).fill(1))); // 54 ms each
    expect((await Promise.all([...waiting.slice(57), slow.ask([1])]))).toEqual(expect.arrayContaining([expect.objectContaining({ status: 503, retryAfter: 4 })]));
    await vi.advanceTimersByTimeAsync(10_000);
    const answers = await Promise.all(waiting);
    expect(answers.filter((answer) => Array.isArray(answer)).length).toBeGreaterThan(50);
  });

  test('a runner that answers nothing is reported; what waits goes elsewhere where it can, and is refused at once while no runner comes up', async () => {
    const { batcher, predictor, ask, hung } = version();
    batcher.use({ predict: () => new Promise(() => undefined) });
    void ask([1]);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(hung).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    expect(hung).toHaveBeenCalledTimes(1);
    const [patient, served] = [ask([2]), ask([3], { hasStandIn: true })];
    batcher.use(null);
    expect(await served).toBeInstanceOf(VersionDown);
    expect(await ask([4], { hasStandIn: true })).toBeInstanceOf(VersionDown);
    batcher.use(null, true);
    expect(await patient).toMatchObject({ status: 503, retryAfter: 1 });
    expect(await ask([5])).toMatchObject({ status: 503, retryAfter: 1 });
    batcher.use(predictor);
  });
});
