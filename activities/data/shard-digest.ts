import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Split } from '../../contract/snapshot.js';
import type { TypedColumn } from '../../definition/columns.js';
import { canonicalJson } from '../../domain/canonical.js';
import { isNumeric } from '../../domain/profile/number-columns.js';
import { DuckDBBlobVector, DuckDBVarCharVector } from '../../runtime/data/duckdb-library.js';
import { identifier } from './duckdb.js';

/** Of a longer text its sha256 stands for it, so that the texts of a shard's column, which DuckDB puts together, have a bound. */
const LONGEST = 64;
const MISSING = 0xffffffff;
/** DuckDB keeps a text in 16 bytes: its length, and up to so many bytes of its own; of a longer one, where it is. */
const ENTRY_BYTES = 16;
const OWN_BYTES = 12;

/**
 * A shard's digest, as contract/snapshot.ts describes it, made of rows that stream by in the order of their keys: of columns as they lie in memory, since to make
 * a text of each row takes ten times as long. Columns in which all texts are short are taken as they come; those with longer ones are asked for at the end, since each
 * longer text would have to be fetched by itself.
 */
export class ShardDigest {
  readonly #head: string;

  /** Of key, label, attributes and the columns, in this order. */
  readonly #parts: readonly (Hash | Texts)[];

  readonly #texts: readonly Texts[];

  readonly #numbers: readonly Hash[];

  constructor({ columns, label, split }: { readonly columns: readonly TypedColumn[]; /** Of a regression it is a number. */ readonly label: 'number' | 'text'; readonly split: Split }) {
    this.#head = canonicalJson({ columns: columns.map(({ name, type, nullable }) => ({ name, type, nullable })), label, split });
    const labels = label === 'text' ? new Texts('label') : createHash('sha256');
    const values = columns.map((column) => (isNumeric(column) ? createHash('sha256') : new Texts(`${identifier(column.name)}::varchar`)));
    this.#parts = [new Texts('key'), labels, new Texts('attributes'), ...values];
    this.#texts = this.#parts.filter((part) => part instanceof Texts);
    this.#numbers = [...values, labels].filter((part): part is Hash => !(part instanceof Texts));
  }

  /** What is selected for {@link add}, as SQL. */
  get texts(): readonly string[] {
    return this.#texts.map(({ sql }) => sql);
  }

  /**
   * Takes in a chunk of rows.
   * @param first the place of the first of {@link texts} among its columns
   * @param numbers of the columns of numbers and times in their order, and of a label that is a number behind them; NaN: missing
   */
  add(chunk: DuckDBDataChunk, first: number, numbers: readonly Float64Array[]): void {
    this.#texts.forEach((texts, at) => { texts.add(chunk, first + at); });
    this.#numbers.forEach((hash, at) => {
      const values = numbers[at];
      if (!values || values.length < chunk.rowCount) throw new RangeError('a column of numbers is not there');
      hash.update(new Uint8Array(values.buffer, values.byteOffset, chunk.rowCount * Float64Array.BYTES_PER_ELEMENT));
    });
  }

  /** The digest, once all rows were taken in. @param from the same rows, as SQL: one thread reads them in the same order */
  async digest(connection: Pick<DuckDBConnection, 'run'>, from: string): Promise<string> {
    const digest = createHash('sha256').update(this.#head);
    for (const part of this.#parts) {
      if (part instanceof Texts) for (const of of await part.digests(connection, from)) digest.update(of);
      else digest.update(part.digest());
    }
    return digest.digest('hex');
  }
}

/** A column of texts. */
class Texts {
  readonly #lengths = createHash('sha256');

  #bytes = createHash('sha256');

  #short = true;

  #room = new DataView(new ArrayBuffer(0));

  #lengthsOfChunk = new Uint32Array(0);

  constructor(readonly sql: string) {}

  add(chunk: DuckDBDataChunk, column: number): void {
    const rows = chunk.rowCount;
    const { entries, valid } = entriesOf(chunk, column);
    if (this.#lengthsOfChunk.length < rows) {
      this.#lengthsOfChunk = new Uint32Array(rows);
      // Each text is copied with what is behind it, and the next one over that.
      this.#room = new DataView(new ArrayBuffer(rows * OWN_BYTES + OWN_BYTES));
    }
    const [lengths, room] = [this.#lengthsOfChunk, this.#room];
    let filled = 0;
    for (let row = 0; row < rows; row += 1) {
      if (valid !== null && ((valid[row >> 3] as number) & (1 << (row & 7))) === 0) {
        lengths[row] = MISSING;
        continue;
      }
      const at = row * ENTRY_BYTES;
      const length = entries.getUint32(at, true);
      lengths[row] = length;
      if (length > OWN_BYTES) this.#short = false;
      if (!this.#short) continue;
      room.setUint32(filled, entries.getUint32(at + 4));
      room.setUint32(filled + 4, entries.getUint32(at + 8));
      room.setUint32(filled + 8, entries.getUint32(at + 12));
      filled += length;
    }
    this.#lengths.update(new Uint8Array(lengths.buffer, 0, rows * Uint32Array.BYTES_PER_ELEMENT));
    if (this.#short) this.#bytes.update(new Uint8Array(room.buffer, 0, filled));
  }

  async digests(connection: Pick<DuckDBConnection, 'run'>, from: string): Promise<Buffer[]> {
    if (!this.#short) {
      const text = `case when strlen(${this.sql}) <= ${LONGEST} then ${this.sql} else sha256(${this.sql}) end`;
      const chunk = await (await connection.run(`select encode(string_agg(${text}, '')) from ${from}`)).fetchChunk();
      const vector = chunk?.getColumnVector(0);
      const found = vector instanceof DuckDBBlobVector ? vector.getItem(0) : null;
      if (!found) throw new TypeError(`${this.sql} gives no texts`);
      this.#bytes = createHash('sha256').update(found.bytes);
    }
    return [this.#lengths.digest(), this.#bytes.digest()];
  }
}

/** The entries of a column of texts, and a bit of each row that says whether it has one; null: all have. They are given out nowhere else, and one by one texts take a hundred times as long. */
function entriesOf(chunk: DuckDBDataChunk, column: number): { entries: DataView; valid: Uint8Array | null } {
  const vector = chunk.getColumnVector(column);
  const entries: unknown = vector instanceof DuckDBVarCharVector ? vector['dataView'] : null;
  const validity: unknown = vector instanceof DuckDBVarCharVector ? vector['validity'] : null;
  if (!(entries instanceof DataView) || typeof validity !== 'object' || validity === null || !('data' in validity)) throw new TypeError(`a column of ${vector.type.toString()} gives no texts`);
  const bits = validity.data;
  if (bits !== null && !(bits instanceof BigUint64Array)) throw new TypeError('a column of texts does not say which are missing');
  return { entries, valid: bits && new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength) };
}
