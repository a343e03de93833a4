import { z } from 'zod';
import { Sha256 } from '../contract/ref.js';
import { LEDGER_START, ledgerHash, verifyChain } from '../domain/ledger.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** `hash` is sha256 over the canonical JSON (RFC 8785) of all the other fields, `previous` (the hash of the entry before) among them. */
export const LedgerEntry = z.object({
  chain: z.string(), seq: z.int(), eventId: z.string(), at: At, actor: z.string(), action: z.string(),
  subject: z.record(z.string(), z.unknown()), previous: Sha256, hash: Sha256,
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** `subject` holds ids and digests, never people's or rows' data: what is in the ledger cannot be erased. */
export interface NewLedgerEntry { readonly chain: string; readonly eventId: string; readonly actor: string; readonly action: string; readonly subject: Readonly<Record<string, unknown>>; readonly at: string }
export interface LedgerVerdict { readonly ok: boolean; readonly entries: number; readonly brokenAt?: number; readonly why?: string }

const COLUMNS = 'chain, seq, event_id as "eventId", at, actor, action, subject, previous, hash';
const PAGE = 1_000;

/** The chain of a model in an environment; `*` stands for the environment itself (its policy). */
export function ledgerChain(model: string, environment: string): string {
  return `${model}/${environment}`;
}

export function createLedgerStore(db: Database) {
  const list = async (chain: string, after = 0, limit = PAGE): Promise<LedgerEntry[]> =>
    parseRows(LedgerEntry, await db.query(`select ${COLUMNS} from ledger where chain = $1 and seq > $2 order by seq limit $3`, [chain, after, limit]));

  return {
    /** Appends once for each eventId of the chain; a repeated one gives its first entry. Writers of a chain stand in a line. */
    async append(entry: NewLedgerEntry): Promise<{ seq: number; hash: string; appended: boolean }> {
      const { chain, eventId, actor, action } = entry;
      return db.transaction(async (tx) => {
        await tx.query("select pg_advisory_xact_lock(hashtextextended('ledger/' || $1, 0))", [chain]);
        const [before] = await tx.query<{ seq: number; hash: string }>('select seq, hash from ledger where chain = $1 and event_id = $2', [chain, eventId]);
        if (before) return { ...before, appended: false };
        const [head] = await tx.query<{ seq: number; hash: string }>('select seq, hash from ledger where chain = $1 order by seq desc limit 1', [chain]);
        const previous = head?.hash ?? LEDGER_START;
        const seq = (head?.seq ?? 0) + 1;
        // Hashed as PostgreSQL will give it back: times to the millisecond, JSON as `jsonb` keeps it.
        const [kept] = await tx.query<{ subject: Record<string, unknown>; at: string; eventId: string; actor: string; action: string }>(
          `select $1::jsonb as subject, date_trunc('milliseconds', $2::timestamptz) as at, $3::text as "eventId", $4::text as actor, $5::text as action`,
          [json(entry.subject), entry.at, eventId, actor, action]);
        if (!kept) throw new Error('PostgreSQL gave no row for a select without a table');
        const hash = ledgerHash({ chain, seq, ...kept, previous });
        await tx.query(
          'insert into ledger (chain, seq, event_id, at, actor, action, subject, previous, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
          [chain, seq, kept.eventId, kept.at, kept.actor, kept.action, json(kept.subject), previous, hash]);
        return { seq, hash, appended: true };
      });
    },

    /** Entries after this sequence number, in order; at most `limit` (1,000 unless told). */
    list,

    async head(chain: string): Promise<LedgerEntry | null> {
      return parseFirst(LedgerEntry, await db.query(`select ${COLUMNS} from ledger where chain = $1 order by seq desc limit 1`, [chain]));
    },

    async chains(): Promise<string[]> {
      return (await db.query<{ chain: string }>('select distinct chain from ledger order by chain')).map((row) => row.chain);
    },

    /** Recomputes the whole chain and holds it against its anchors. `brokenAt` is the first entry that is changed, missing or out of line. */
    async verify(chain: string): Promise<LedgerVerdict> {
      const anchors = new Map((await db.query<{ seq: number; hash: string }>('select seq, hash from ledger_anchors where chain = $1 order by seq', [chain])).map((row) => [row.seq, row.hash]));
      let head = { seq: 0, hash: LEDGER_START };
      for (let page = await list(chain); page.length > 0; page = await list(chain, head.seq)) {
        const verdict = verifyChain(page, head);
        if (!verdict.ok) return { ok: false, entries: head.seq + page.length, brokenAt: verdict.seq, why: verdict.reason };
        const swapped = page.find((entry) => anchors.has(entry.seq) && anchors.get(entry.seq) !== entry.hash);
        if (swapped) return { ok: false, entries: head.seq + page.length, brokenAt: swapped.seq, why: `row ${swapped.seq} is not the one that was anchored` };
        head = verdict.head;
      }
      const cut = [...anchors.keys()].find((anchored) => anchored > head.seq);
      return cut === undefined ? { ok: true, entries: head.seq } : { ok: false, entries: head.seq, brokenAt: head.seq + 1, why: `row ${cut} was anchored and is gone` };
    },

    /** Notes that the head was also written to `uri`. */
    async anchor({ chain, seq, hash, uri }: { chain: string; seq: number; hash: string; uri: string }): Promise<void> {
      await db.query('insert into ledger_anchors (chain, seq, hash, uri) values ($1, $2, $3, $4) on conflict do nothing', [chain, seq, hash, uri]);
    },

    async anchors(chain: string): Promise<{ seq: number; hash: string; uri: string; at: string }[]> {
      return db.query('select seq, hash, uri, at from ledger_anchors where chain = $1 order by seq', [chain]);
    },
  };
}
export type LedgerStore = ReturnType<typeof createLedgerStore>;
