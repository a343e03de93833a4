import { z } from 'zod';
import { Decision } from '../contract/decision.js';
import type { ErrorCode } from '../contract/errors.js';
import { Sha256 } from '../contract/ref.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** `refusal`: the code of the error registry, null where accepted. */
export const StoredDecision = z.object({
  id: z.int(), run: z.string(), evidence: Sha256, decision: Decision, via: z.enum(['signal', 'update', 'automatic']),
  accepted: z.boolean(), refusal: z.string().nullable(), payloadDigest: Sha256, at: At,
});
export type StoredDecision = z.infer<typeof StoredDecision>;
export interface NewDecision { readonly decision: Decision; readonly via: StoredDecision['via']; readonly accepted: boolean; readonly refusal: ErrorCode | null; readonly payloadDigest: string }
/** `first`: false where the same payload was recorded before, and the rest tells what became of it then. */
export interface RecordedDecision { readonly id: number; readonly accepted: boolean; readonly first: boolean; readonly refusal: string | null }

const COLUMNS = 'id, run, evidence, decision, via, accepted, refusal, payload_digest as "payloadDigest", at';

export function createDecisionsStore(db: Database) {
  async function insert(tx: Database, { decision, via, payloadDigest }: NewDecision, accepted: boolean, refusal: string | null): Promise<number | undefined> {
    const rows = await tx.query<{ id: number }>(
      `insert into decisions (run, evidence, verdict, approver, nonce, decision, via, accepted, refusal, payload_digest)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning id`,
      [decision.run, decision.evidence, decision.verdict, decision.approver, decision.nonce, json(decision), via, accepted, refusal, payloadDigest]);
    return rows[0]?.id;
  }

  return {
    /**
     * Records a judged decision once for each run and payload. Of those that would be accepted, the first for a run's evidence and the
     * first with its nonce are; a later one is recorded as refused, `decision/repeated`.
     */
    async record(decision: NewDecision): Promise<RecordedDecision> {
      return db.transaction(async (tx) => {
        const refusal = decision.accepted ? null : (decision.refusal ?? 'decision/malformed');
        const id = await insert(tx, decision, decision.accepted, refusal);
        if (id !== undefined) return { id, accepted: decision.accepted, first: true, refusal };
        const before = () => tx.query<Omit<RecordedDecision, 'first'>>('select id, accepted, refusal from decisions where run = $1 and payload_digest = $2', [decision.decision.run, decision.payloadDigest]);
        const [same] = await before();
        if (same) return { ...same, first: false };
        const late = await insert(tx, decision, false, 'decision/repeated');
        if (late !== undefined) return { id: late, accepted: false, first: true, refusal: 'decision/repeated' };
        const [raced] = await before();
        if (raced) return { ...raced, first: false };
        throw new Error(`The decision ${decision.payloadDigest} on ${decision.decision.run} was neither recorded nor found`);
      });
    },

    /** The accepted decision on a run, on this evidence where given; the newest where a run was judged again. */
    async acceptedFor(run: string, evidence?: string): Promise<StoredDecision | null> {
      return parseFirst(StoredDecision, await db.query(`select ${COLUMNS} from decisions where run = $1 and accepted and ($2::text is null or evidence = $2) order by id desc limit 1`, [run, evidence ?? null]));
    },

    /** Accepted and refused ones, oldest first. */
    async list(run: string): Promise<StoredDecision[]> {
      return parseRows(StoredDecision, await db.query(`select ${COLUMNS} from decisions where run = $1 order by id`, [run]));
    },
  };
}
export type DecisionsStore = ReturnType<typeof createDecisionsStore>;
