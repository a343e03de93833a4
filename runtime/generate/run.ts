import { pathToFileURL } from 'node:url';
import { PerennialError } from '../../contract/errors.js';
import type { RowFault } from '../../contract/frames.js';
import type { ChildContext } from '../child/main.js';
import { rowTexts } from './row.js';

/** A frame of rows is sent when it holds so many bytes, or rows. */
const FRAME_BYTES = 512 * 1024;
const FRAME_ROWS = 2_000;

/**
 * Runs a generator of the team's and sends its rows, each value as text, and the faults of rows that are none. The next row is asked for
 * when the frame before was handed to the system: a host that is slow slows the generator. Runs inside the child.
 */
export async function generateRows({ task, send, cancelled }: ChildContext<'generate'>): Promise<void> {
  const { module, export: name, fields, limit } = task;
  const exported = (await import(pathToFileURL(module).href) as Record<string, unknown>)[name];
  if (typeof exported !== 'function') throw new PerennialError('definition/invalid', `the definition's file exports no function ${name}`);
  const rows: unknown = (exported as () => unknown)();
  if (!isIterable(rows)) throw new PerennialError('definition/invalid', `${name}() has to be a generator: \`export async function* ${name}() { yield { … }; }\``);

  let [texts, bytes, faults, seen]: [string[], number, RowFault[], number] = [[], 0, [], 0];
  const flush = async () => {
    const frame = { v: 1, kind: 'rows', rows: texts.length, seen, faults } as const;
    const body = Buffer.from(texts.join('\n'));
    [texts, bytes, faults] = [[], 0, []];
    await send(frame, body);
  };
  for await (const row of rows) {
    cancelled.throwIfAborted();
    seen += 1;
    // The host says that there are too many; a row more shows that it is so.
    if (seen > limit) break;
    const read = rowTexts(fields, row);
    if ('check' in read) faults.push({ ...read, row: seen });
    else {
      const line = JSON.stringify([seen, ...read.texts]);
      texts.push(line);
      bytes += line.length;
    }
    if (bytes >= FRAME_BYTES || texts.length + faults.length >= FRAME_ROWS) await flush();
  }
  await flush();
  await send({ v: 1, kind: 'generated', seen });
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}
