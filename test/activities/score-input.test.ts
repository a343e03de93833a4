import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDuck } from '../../activities/data/duckdb.js';
import type { Duck } from '../../activities/data/duckdb.js';
import { textProblem, wholeText } from '../../activities/score/whole-text.js';
import { TextFileError } from '../../activities/data/text-file.js';
import { query } from './support/data.js';

let folder: string;
let duck: Duck;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'perennial-score-input-')); duck = await openDuck(folder); });
afterAll(async () => { duck.close(); await rm(folder, { recursive: true, force: true }); });

const read = async (name: string, bytes?: Uint8Array | string) => {
  const file = join(folder, name);
  if (bytes !== undefined) await writeFile(file, bytes);
  return wholeText(duck, file, { folder, pictures: false, signal: new AbortController().signal });
};

it('rows of text are counted as they are written, whatever the delimiter, the quotes and the packing', async () => {
  expect(await read('a.csv', 'id,a\n1,2\n3,4\n')).toEqual({ path: join(folder, 'a.csv'), rows: 2 });
  expect((await read('b.csv', 'id;a\n"x; y\nz";2\n3;4\n'))?.rows).toBe(2);
  expect(await read('c.jsonl.gz', gzipSync('{"a":1}\n\n{"a":2}'))).toMatchObject({ path: join(folder, 'plain.jsonl'), rows: 2 });
  expect(await read('d.parquet', 'anything')).toBeNull();
});

it('a Zstandard or gzip file that was cut is no whole file', async () => {
  await query(`copy (select i as id, sin(i) as a from range(20000) r(i)) to '${join(folder, 'whole.csv.zst')}' (format csv, header, compression zstd)`);
  expect((await read('whole.csv.zst'))?.rows).toBe(20_000);
  const cut = async (name: string, bytes: Uint8Array) => {
    const error: unknown = await read(name, bytes.subarray(0, bytes.length - 2_000)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TextFileError);
    return textProblem(error as TextFileError);
  };
  expect(await cut('cut.csv.zst', await readFile(join(folder, 'whole.csv.zst')))).toMatch(/^is no whole file of text: the Zstandard file was cut or damaged/);
  expect(await cut('cut.ndjson.gz', gzipSync(Array.from({ length: 5_000 }, (_, i) => `{"a":${Math.sin(i)}}`).join('\n')))).toMatch(/the gzip file was cut or damaged/);
});
