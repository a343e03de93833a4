import type { Line } from './lines.js';

export interface InOrderLimits {
  /** Lines that are worked on at once, and their bytes: beyond, nothing is read until the oldest is answered. */
  readonly lines: number; readonly bytes: number;
}

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
  const stopped = new Promise<'stopped'>((stop) => { signal.addEventListener('abort', () => { stop('stopped'); }, { once: true }); });

  const read = (): Promise<IteratorResult<Line>> => {
    const next = iterator.next();
    next.catch(() => undefined); // seen when it is waited for
    return next;
  };

  for (;;) {
    ended ||= signal.aborted;
    const [oldest] = pending;
    if (ended && !oldest) return;
    const mayRead = !ended && pending.length < limits.lines && bytes < limits.bytes;
    if (mayRead) coming ??= read();
    const event = await Promise.race([
      ...(oldest ? [oldest.done.then((value) => ({ value }))] : []),
      ...(mayRead && coming ? [coming.then((line) => ({ line })), stopped] : []),
    ]);
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
}
