import type { Line } from './lines.js';

export interface InOrderLimits {
  /** Lines that are worked on at once, and their bytes: beyond, nothing is read until the oldest is answered. */
  readonly lines: number; readonly bytes: number;
}

type Event<T> = 'stopped' | { readonly value: T } | { readonly line: IteratorResult<Line> };

/**
 * The answers to lines, in their order: each is given as soon as it and those before it are there, also where the next line does not come before
 * it was read. `answer` never rejects. Ends when the lines end, or, with what has been read by then answered, when `signal` aborts.
 */
export async function* inOrder<T>(lines: AsyncIterable<Line>, answer: (line: Line) => Promise<T>, limits: InOrderLimits, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = lines[Symbol.asyncIterator]();
  const pending: { readonly done: Promise<T>; readonly bytes: number }[] = [];
  let bytes = 0;
  let ended = false;
  let coming: Promise<IteratorResult<Line>> | null = null;
  // One listener, which is taken away again, and no promise that outlives a line: whatever waited for it would be held for as long as the server runs.
  let stop: () => void = () => undefined;
  const onAbort = () => { stop(); };
  signal.addEventListener('abort', onAbort);

  const read = (): Promise<IteratorResult<Line>> => {
    const next = iterator.next();
    next.catch(() => undefined); // seen when it is waited for
    return next;
  };

  try {
    for (;;) {
      ended ||= signal.aborted;
      const [oldest] = pending;
      if (ended && !oldest) return;
      const mayRead = !ended && pending.length < limits.lines && bytes < limits.bytes;
      if (mayRead) coming ??= read();
      const event = await new Promise<Event<T>>((resolve, reject) => {
        oldest?.done.then((value) => { resolve({ value }); }, reject);
        if (!mayRead || !coming) return;
        coming.then((line) => { resolve({ line }); }, reject);
        stop = () => { resolve('stopped'); };
      });
      if (event === 'stopped') ended = true;
      else if ('line' in event) {
        coming = null;
        if (event.line.done === true) ended = true;
        else {
          const line = event.line.value;
          pending.push({ done: answer(line), bytes: line.bytes.length });
          bytes += line.bytes.length;
        }
      } else {
        pending.shift();
        bytes -= oldest?.bytes ?? 0;
        yield event.value;
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
