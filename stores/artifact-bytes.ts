import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** Bytes in memory, or the path of a file. */
export type Source = Uint8Array | string;
export interface Measured { readonly sha256: string; readonly bytes: number }

/** A file of less than so many bytes is read once; a larger one stays where it is. */
export async function held(source: Source, below: number): Promise<Source> {
  return typeof source === 'string' && (await stat(source)).size < below ? readFile(source) : source;
}

/** Digest and length of a source; a file is read as a stream. */
export async function measure(source: Source): Promise<Measured> {
  const hash = createHash('sha256');
  if (typeof source !== 'string') return { sha256: hash.update(source).digest('hex'), bytes: source.byteLength };
  let bytes = 0;
  for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** The stream of a file, that ends in an error where the file is not what was measured any more. */
export function unchanged(path: string, measured: Measured): Readable {
  return Readable.from(checked(createReadStream(path, { highWaterMark: 1 << 20 }), measured, () => new Error(`${path} changed while it was uploaded`)), { objectMode: false });
}

/** Passes bytes on, and throws at their end where they are not those that were measured. */
export async function* checked(chunks: AsyncIterable<Uint8Array>, { sha256, bytes }: Measured, failure: (found: Measured) => Error): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let seen = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    seen += chunk.byteLength;
    yield chunk;
  }
  const found = { sha256: hash.digest('hex'), bytes: seen };
  if (found.sha256 !== sha256 || found.bytes !== bytes) throw failure(found);
}
