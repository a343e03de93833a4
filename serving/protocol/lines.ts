import { ServingError } from '../errors.js';

/** `number`: counted by the client's numbering; empty lines count, and are left out. */
export interface Line { readonly number: number; readonly bytes: Buffer }

const NEWLINE = 10;

/** Lines of a stream as they come; 413 where one is longer than `longest` bytes. */
export async function* linesOf(source: AsyncIterable<Buffer>, { first, longest }: { first: number; longest: number }): AsyncGenerator<Line> {
  let number = first;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer) => {
    length += part.length;
    if (length > longest) throw new ServingError(413, `Line ${number} is longer than ${longest} bytes.`);
    parts.push(part);
  };
  for await (const chunk of source) {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      take(chunk.subarray(at, end));
      const bytes = Buffer.concat(parts);
      if (!isBlank(bytes)) yield { number, bytes };
      [parts, length, at] = [[], 0, end + 1];
      number += 1;
    }
    take(chunk.subarray(at));
  }
  const rest = Buffer.concat(parts);
  if (!isBlank(rest)) yield { number, bytes: rest };
}

const isBlank = (bytes: Buffer): boolean => bytes.length === 0 || (bytes.length < 8 && bytes.toString('latin1').trim() === '');
