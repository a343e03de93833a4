import { digestOf } from './digest.js';

/** What the first row of a chain has in place of the hash before it. */
export const LEDGER_START = '0'.repeat(64);

/** What a ledger row's hash covers. `at` is ISO 8601 with an offset; `subject` holds ids and digests, no data. */
export interface LedgerContent {
  readonly chain: string; readonly seq: number; readonly eventId: string; readonly at: string;
  readonly actor: string; readonly action: string; readonly subject: Readonly<Record<string, unknown>>;
  /** Hash of the row before; {@link LEDGER_START} for the first. */
  readonly previous: string;
}
export type LedgerRow = LedgerContent & { readonly hash: string };

export type ChainVerdict =
  | { readonly ok: true; readonly rows: number; readonly head: { readonly seq: number; readonly hash: string } }
  /** `seq` is the first row that is changed, missing or out of line. */
  | { readonly ok: false; readonly seq: number; readonly reason: string };

/** sha256 of the canonical JSON of all the fields but the hash itself. */
export function ledgerHash({ chain, seq, eventId, at, actor, action, subject, previous }: LedgerContent): string {
  return digestOf({ chain, seq, eventId, at, actor, action, subject, previous });
}

/**
 * Recomputes a chain. A long one can be read in pages: hand the head of one page to the next as `after`.
 * It cannot see rows that are cut off at the end: hold the head against its anchors for that.
 */
export function verifyChain(rows: readonly LedgerRow[], after = { seq: 0, hash: LEDGER_START }): ChainVerdict {
  let head = after;
  for (const row of rows) {
    const seq = head.seq + 1;
    const reason = row.seq !== seq ? `row ${seq} is missing`
      : row.chain !== rows[0]?.chain ? `row ${seq} is of chain ${row.chain}`
      : row.previous !== head.hash ? `row ${seq} does not follow the one before`
      : ledgerHash(row) !== row.hash ? `row ${seq} was changed after it was written`
      : null;
    if (reason !== null) return { ok: false, seq, reason };
    head = { seq, hash: row.hash };
  }
  return { ok: true, rows: rows.length, head };
}
