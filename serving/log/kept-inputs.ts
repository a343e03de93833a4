import { crc32 } from 'node:zlib';
import type { Signature } from '../../contract/package.js';
import { encodeRow } from '../../domain/cells.js';
import { signatureColumns } from '../../domain/signature-cells.js';
import type { LogPolicy } from '../../stores/models.js';
import type { Rows } from '../protocol/rows.js';

/** A request's inputs as the log keeps them, and how much of them that is: `whole`, without the columns that are redacted, or `none`. */
export interface KeptInputs { readonly input: Uint8Array; readonly inputBytes?: number[]; readonly inputKept?: 'redacted' | 'none' }

const NOTHING: KeptInputs = { input: new Uint8Array(), inputKept: 'none' };

/** True of the requests of which a share is kept. The same id always has the same answer; a larger share keeps what a smaller one does. */
export function isSampled(share: number, requestId: string): boolean {
  return share === 1 || crc32(requestId) / 2 ** 32 < share;
}

/** What the policy lets the log keep of a request's rows. The same id always has the same answer. */
export function keptInputs({ inputs: { share, maximumBytes, redact } }: LogPolicy, signature: Signature, rows: Rows, requestId: string): KeptInputs {
  if (!isSampled(share, requestId)) return NOTHING;
  if (rows.datatype === 'UINT8') return rows.input.byteLength / rows.count > maximumBytes ? NOTHING : { input: rows.input };
  const kept = redact.length === 0 ? rows.logged : withoutColumns(signature, rows.input, redact);
  if (kept.some(({ byteLength }) => byteLength > maximumBytes)) return NOTHING;
  return { input: Buffer.concat(kept), inputBytes: kept.map(({ byteLength }) => byteLength), ...(redact.length === 0 ? {} : { inputKept: 'redacted' }) };
}

function withoutColumns(signature: Signature, rows: Extract<Rows, { datatype: 'CELLS' }>['input'], redact: readonly string[]): Uint8Array[] {
  const columns = signatureColumns(signature);
  const places = columns.flatMap(({ name }, place) => (redact.includes(name) ? [] : [place]));
  const left = columns.filter(({ name }) => !redact.includes(name));
  return rows.map((row) => encodeRow(left, places.map((place) => row[place] ?? null)));
}
