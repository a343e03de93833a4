import { join } from 'node:path';
import { literal } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { scanText } from '../data/text-file.js';
import type { TextFileError } from '../data/text-file.js';

/** A text input as a plain file, and how many rows it has: what DuckDB reads less of, it has lost. */
export interface WholeText { readonly path: string; readonly rows: number }

/** Pictures are in text as base64. */
const LONGEST_PICTURE_BYTES = 64_000_000;

/**
 * Reads a CSV or JSON lines input once from its first byte to its last, and unpacks it into `folder`: DuckDB takes a Zstandard file that was
 * cut for a whole one. Null for every other kind of file.
 * @throws TextFileError for a file that was cut or damaged, or is no text
 */
export async function wholeText(duck: Duck, file: string, { folder, pictures, signal }: { folder: string; pictures: boolean; signal: AbortSignal }): Promise<WholeText | null> {
  const name = file.toLowerCase().replace(/\.(gz|zst)$/, '');
  const longest = pictures ? { longestRowBytes: LONGEST_PICTURE_BYTES } : {};
  if (/\.(jsonl|ndjson|json)$/.test(name)) return scanText(file, join(folder, 'plain.jsonl'), longest, signal);
  if (!name.endsWith('.csv')) return null;
  const into = join(folder, 'plain.csv');
  const first = await scanText(file, into, { ...longest, delimiter: ',', quote: '"' }, signal);
  const [dialect] = await duck.rows<{ Delimiter: string; Quote: string }>(`select Delimiter, Quote from sniff_csv(${literal(first.path)}, header = true, all_varchar = true)`);
  const [delimiter = ',', quote = '"'] = [dialect?.Delimiter, dialect?.Quote].map((sign) => (sign?.length === 1 && sign !== '\0' ? sign : undefined));
  const read = delimiter === ',' && quote === '"' ? first : await scanText(first.path, into, { ...longest, delimiter, quote }, signal);
  return { path: read.path, rows: Math.max(0, read.rows - 1) };
}

/** What is wrong with the text, and where. */
export function textProblem(error: TextFileError): string {
  return `is no whole file of text: ${error.message}${error.line === undefined ? '' : ` (line ${error.line})`}`;
}
