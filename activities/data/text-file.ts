import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';

/** A row longer than this is a quote that was never closed, or no text. */
export const LONGEST_ROW_BYTES = 1_000_000;

/** What is wrong with a whole file; `line` where it was seen, from 1. */
export class TextFileError extends Error {
  override readonly name = 'TextFileError';
  constructor(message: string, readonly line?: number) {
    super(message);
  }
}

/** What was seen of a file of text, read from its first byte to its last. */
export interface ScannedText {
  /** A plain file on this machine: the file itself, or what it was unpacked to. */
  readonly path: string;
  /** Rows that are not blank, among them the header. */
  readonly rows: number;
  /** Whether the row of number n (from 1) begins in line n: no line before it is blank, and no field holds a line end. */
  readonly lineIsRow: boolean;
  /** The first line, without its end. */
  readonly firstLine: string;
}

/** Bytes with a meaning; of JSON lines, only the line end has one. */
export interface TextForm { readonly delimiter?: string; readonly quote?: string; /** {@link LONGEST_ROW_BYTES} unless told. */ readonly longestRowBytes?: number }

/**
 * Reads a file once before DuckDB does, and unpacks it to `into` where it is compressed (gzip, Zstandard; told by its first bytes). DuckDB
 * takes a Zstandard file that was cut for a whole one, and passes over a row that is longer than its buffer.
 * @throws TextFileError for a file that was cut or damaged, is UTF-16 or binary, mixes line ends, or has a row beyond {@link LONGEST_ROW_BYTES}
 */
export async function scanText(path: string, into: string, form: TextForm, signal: AbortSignal): Promise<ScannedText> {
  const packed = await compressionOf(path);
  const scan = new Scan(form);
  if (packed === null) {
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), async (chunks: AsyncIterable<Buffer>) => { for await (const chunk of chunks) scan.push(chunk); }, { signal });
  } else {
    const out = await open(into, 'w');
    const keep = async (chunk: Uint8Array) => { scan.push(chunk); await out.writeFile(chunk); };
    try {
      await unpack(path, packed, keep, signal);
    } finally {
      await out.close();
    }
  }
  return { path: packed === null ? path : into, ...scan.end() };
}

async function compressionOf(path: string): Promise<'gzip' | 'zstd' | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const first = buffer.subarray(0, bytesRead).toString('hex');
    return first.startsWith('1f8b') ? 'gzip' : first === '28b52ffd' ? 'zstd' : null;
  } finally {
    await file.close();
  }
}

async function unpack(path: string, packed: 'gzip' | 'zstd', keep: (chunk: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void> {
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  try {
    const chunks = packed === 'gzip' ? source.pipe(createGunzip({ chunkSize: 256 * 1024 })) : Readable.from(unzstd(source));
    source.on('error', (error) => chunks.destroy(error));
    await pipeline(chunks, async (plain: AsyncIterable<Uint8Array>) => { for await (const chunk of plain) await keep(chunk); }, { signal });
  } catch (error) {
    if (error instanceof TextFileError || signal.aborted || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new TextFileError(`the ${packed === 'gzip' ? 'gzip' : 'Zstandard'} file was cut or damaged (${error instanceof Error ? error.message : String(error)})`);
  } finally {
    source.destroy();
  }
}

async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  let ended = false;
  const decompress = new Decompress((chunk, last) => { if (chunk.length > 0) ready.push(chunk.slice()); ended = last === true; });
  for await (const chunk of source) {
    decompress.push(chunk);
    yield* ready.splice(0);
  }
  decompress.push(new Uint8Array(0), true);
  yield* ready.splice(0);
  if (!ended) throw new Error('unexpected end of file');
}

const [LF, CR, NUL] = [0x0a, 0x0d, 0];
const FIRST_LINE_BYTES = 256 * 1024;

/** Rows and lines of a file whose bytes come in any cut. */
class Scan {
  private readonly quote: number;
  private readonly delimiter: number;
  private readonly longest: number;
  private readonly first: Uint8Array[] = [];
  private firstDone = false;
  private start: Uint8Array = new Uint8Array(0);
  private line = 1;
  private rows = 0;
  private rowBytes = 0;
  private rowLine = 1;
  private quoted = false;
  private fieldStart = true;
  private closed = false;
  private carriage = false;
  private lineEnd: 'LF' | 'CRLF' | null = null;
  private blankSeen = false;
  private lineIsRow = true;

  constructor(private readonly form: TextForm) {
    this.longest = form.longestRowBytes ?? LONGEST_ROW_BYTES;
    this.quote = form.quote ? form.quote.charCodeAt(0) : -1;
    this.delimiter = form.delimiter ? form.delimiter.charCodeAt(0) : -1;
  }

  push(chunk: Uint8Array): void {
    if (this.start.length < 4) this.checkStart(chunk);
    if (!this.firstDone) this.keepFirst(chunk);
    const { quote, delimiter, longest } = this;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.carriage) {
        this.carriage = false;
        if (byte !== LF && !this.quoted && this.form.delimiter !== undefined) throw new TextFileError('lines must end with LF or CR LF, here one ends with CR alone', this.line);
      }
      if (byte === LF) {
        this.endLine(at > 0 ? chunk[at - 1] === CR : this.lastWasCarriage);
        continue;
      }
      this.rowBytes += 1;
      if (byte === quote) {
        if (this.quoted) { this.quoted = false; this.closed = true; } else if (this.fieldStart || this.closed) { this.quoted = true; this.closed = false; }
        this.fieldStart = false;
      } else {
        this.closed = false;
        this.fieldStart = byte === delimiter && !this.quoted;
        if (byte === CR) this.carriage = true;
        else if (byte === NUL) throw new TextFileError('holds a NUL byte: this is no text in UTF-8', this.line);
      }
      if (this.rowBytes > longest) throw new TextFileError(`a row is longer than ${longest.toLocaleString('en')} bytes${quote >= 0 ? '; is a quote not closed?' : ''}`, this.rowLine);
    }
    this.lastWasCarriage = chunk[chunk.length - 1] === CR;
  }
  private lastWasCarriage = false;

  private endLine(afterCarriage: boolean): void {
    if (this.quoted) {
      this.lineIsRow = false;
      this.rowBytes += 1;
    } else {
      const end = afterCarriage ? 'CRLF' : 'LF';
      if (this.lineEnd !== null && this.lineEnd !== end && this.form.delimiter !== undefined) throw new TextFileError(`lines end with ${this.lineEnd === 'LF' ? 'LF' : 'CR LF'}, here one ends with ${end === 'LF' ? 'LF' : 'CR LF'}`, this.line);
      this.lineEnd = end;
      this.endRow(this.rowBytes - (afterCarriage ? 1 : 0));
    }
    this.line += 1;
    if (!this.quoted) { this.rowLine = this.line; this.rowBytes = 0; this.fieldStart = true; this.closed = false; }
  }

  private endRow(bytes: number): void {
    if (bytes === 0) {
      this.blankSeen = true;
      return;
    }
    if (this.blankSeen) this.lineIsRow = false;
    this.rows += 1;
  }

  private checkStart(chunk: Uint8Array): void {
    this.start = Buffer.concat([this.start, chunk.subarray(0, 4)]);
    const hex = Buffer.from(this.start).toString('hex');
    if (hex.startsWith('fffe') || hex.startsWith('feff')) throw new TextFileError('is UTF-16 (it begins with its byte order mark): save it as UTF-8', 1);
  }

  private keepFirst(chunk: Uint8Array): void {
    const end = chunk.indexOf(LF);
    this.first.push(chunk.slice(0, end === -1 ? FIRST_LINE_BYTES : end));
    this.firstDone = end !== -1 || this.first.reduce((sum, { length }) => sum + length, 0) >= FIRST_LINE_BYTES;
  }

  end(): Omit<ScannedText, 'path'> {
    if (this.quoted) throw new TextFileError('a quote is not closed', this.rowLine);
    if (this.rowBytes > 0) this.endRow(this.rowBytes);
    const firstLine = Buffer.concat(this.first).toString('utf8').replace(/^\uFEFF/, '').replace(/\r$/, '');
    return { rows: this.rows, lineIsRow: this.lineIsRow, firstLine };
  }
}
