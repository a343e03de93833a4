import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inOrder } from '../../serving/protocol/in-order.js';
import { linesOf, type Line } from '../../serving/protocol/lines.js';

const never = new AbortController().signal;

/** Lines of ten bytes without end; counts those that were read. */
function endless(): { lines: AsyncGenerator<Line>; read: () => number } {
  let number = 0;
  async function* lines(): AsyncGenerator<Line> {
    for (;;) {
      await turn();
      yield { number: (number += 1), bytes: Buffer.alloc(10) };
    }
  }
  return { lines: lines(), read: () => number };
}
const turns = async () => { for (let count = 0; count < 200; count += 1) await turn(); };

test.each([['lines', { lines: 4, bytes: 1_000 }, 4], ['bytes', { lines: 100, bytes: 25 }, 3]] as const)('no more %s are read than are worked on, while the oldest waits or nobody takes the answers', async (_what, limits, most) => {
  const { lines, read } = endless();
  const waiting: ((value: number) => void)[] = [];
  const answers = inOrder(lines, ({ number }) => new Promise<number>((resolve) => { waiting[number] = resolve; }), limits, never);
  const first = answers.next();
  await turns();
  expect(read()).toBe(most);
  waiting[2]?.(2); // a later one is there first: it waits for its turn
  await turns();
  expect(read()).toBe(most);
  waiting[1]?.(1);
  expect(await first).toEqual({ done: false, value: 1 });
  await turns();
  expect(read()).toBe(most); // the answer was taken; the next was not asked for
  expect(await answers.next()).toEqual({ done: false, value: 2 });
});

test('what has been read is answered when it is stopped, though the next line never comes', async () => {
  const stopping = new AbortController();
  async function* two(): AsyncGenerator<Line> {
    yield { number: 1, bytes: Buffer.alloc(1) };
    yield { number: 2, bytes: Buffer.alloc(1) };
    await new Promise(() => undefined);
  }
  const answers = inOrder(two(), ({ number }) => Promise.resolve(number), { lines: 8, bytes: 100 }, stopping.signal);
  expect([await answers.next(), await answers.next()]).toEqual([{ done: false, value: 1 }, { done: false, value: 2 }]);
  const last = answers.next();
  stopping.abort();
  expect(await last).toEqual({ done: true, value: undefined });
});

test('a client that breaks off ends the answers with its error', async () => {
  async function* broken(): AsyncGenerator<Line> {
    yield { number: 1, bytes: Buffer.alloc(1) };
    await turn();
    throw new Error('aborted');
  }
  const answers = inOrder(broken(), () => new Promise<number>(() => undefined), { lines: 8, bytes: 100 }, never);
  await expect(answers.next()).rejects.toThrow('aborted');
});

test('lines are cut where they end, wherever the pieces do; empty ones count', async () => {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (const piece of ['{"a"', ':1}\n\n', '\r\n{"b":2}\n{"', 'c":3}']) { await turn(); yield Buffer.from(piece); }
  }
  const found: string[] = [];
  for await (const { number, bytes } of linesOf(pieces(), { first: 11, longest: 100 })) found.push(`${number} ${bytes.toString()}`);
  expect(found).toEqual(['11 {"a":1}', '14 {"b":2}', '15 {"c":3}']);
  await expect(linesOf(pieces(), { first: 11, longest: 6 }).next()).rejects.toThrow('Line 11 is longer than 6 bytes.');
});

test('nothing is left at the signal of a stream that ended, or was given up', async () => {
  const stopping = new AbortController();
  async function* one(): AsyncGenerator<Line> { yield { number: 1, bytes: Buffer.alloc(10) }; }
  for await (const value of inOrder(one(), ({ number }) => Promise.resolve(number), { lines: 2, bytes: 100 }, stopping.signal)) expect(value).toBe(1);
  const givenUp = inOrder(endless().lines, ({ number }) => Promise.resolve(number), { lines: 2, bytes: 100 }, stopping.signal);
  await givenUp.next();
  expect(getEventListeners(stopping.signal, 'abort')).toHaveLength(1);
  await givenUp.return(undefined);
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
});
