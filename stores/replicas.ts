import { z } from 'zod';
import type { Database } from './database.js';
import { createServedStore } from './served.js';
import { At, parseRows } from './values.js';

const Serving = z.object({ model: z.string(), version: z.int().nullable(), generation: z.int() });
export type Serving = z.infer<typeof Serving>;
/** A replica whose lease has not lapsed, and what it said that it serves. */
export const LiveReplica = z.object({ id: z.string(), url: z.string(), pid: z.int(), leaseUntil: At, serving: z.array(Serving) });
export type LiveReplica = z.infer<typeof LiveReplica>;
export const LapsedReplica = z.object({ id: z.string(), url: z.string(), leaseUntil: At });
export type LapsedReplica = z.infer<typeof LapsedReplica>;

export interface Lease { readonly id: string; readonly environment: string; readonly url: string; readonly pid: number; readonly ttlMs?: number; /** What it serves, reported with the renewal. */ readonly serving?: readonly Serving[] }

const LEASE_MS = 5_000;
const AHEAD = `now() + $2 * interval '1 millisecond'`;
/** Never back: a renewal that waited for a later one must not shorten it. */
const extended = (column: string) => `greatest(${column}, ${AHEAD})`;

/** Times are the database's: no replica's clock counts. */
export function createReplicasStore(db: Database) {
  const lock = (tx: Database, id: string) => tx.query<{ environment: string; pid: number; lapsed: boolean }>(
    'select environment, pid, lease_until <= now() or released_at is not null as lapsed from replicas where id = $1 for update', [id]);

  async function closeAll(tx: Database, id: string): Promise<void> {
    await tx.query('update serving_intervals set until = greatest(since, least(until, now())), closed = true where replica = $1 and not closed', [id]);
  }

  async function reportIn(tx: Database, replica: string, environment: string, { model, version, generation }: Serving): Promise<void> {
    const same = await tx.query(
      'select 1 from serving_intervals where replica = $1 and model = $2 and not closed and version is not distinct from $3 and generation = $4', [replica, model, version, generation]);
    if (same.length > 0) return;
    await tx.query('update serving_intervals set until = greatest(since, least(until, now())), closed = true where replica = $1 and model = $2 and not closed', [replica, model]);
    await tx.query(
      `insert into serving_intervals (replica, environment, model, version, generation, since, until)
       select $1, $2, $3, $4, $5, now(), lease_until from replicas where id = $1`,
      [replica, environment, model, version, generation]);
  }

  return {
    ...createServedStore(db),

    /**
     * Takes or renews a lease for `ttlMs` (5,000 unless told). `unbroken` false: the lease is new, or had lapsed, or belonged to another process;
     * what was reported before does not count any more, so report everything again (or give `serving` with every renewal).
     */
    async lease({ id, environment, url, pid, ttlMs = LEASE_MS, serving = [] }: Lease): Promise<{ unbroken: boolean }> {
      return db.transaction(async (tx) => {
        await tx.query('insert into replicas (id, environment, url, pid, lease_until, released_at) values ($1, $2, $3, $4, now(), now()) on conflict (id) do nothing', [id, environment, url, pid]);
        const [before] = await lock(tx, id);
        const unbroken = before !== undefined && !before.lapsed && before.pid === pid && before.environment === environment;
        await tx.query(`update replicas set environment = $3, url = $4, pid = $5, lease_until = ${extended('lease_until')}, released_at = null where id = $1`, [id, ttlMs, environment, url, pid]);
        if (unbroken) {
          await tx.query(`update lease_intervals set until = ${extended('until')} where id = (select id from lease_intervals where replica = $1 order by id desc limit 1)`, [id, ttlMs]);
          await tx.query(`update serving_intervals set until = ${extended('until')} where replica = $1 and not closed`, [id, ttlMs]);
        } else {
          await tx.query('update lease_intervals set until = greatest(since, now()) where replica = $1 and until > now()', [id]);
          await closeAll(tx, id);
          await tx.query(`insert into lease_intervals (replica, environment, since, until) values ($1, $3, now(), ${AHEAD})`, [id, ttlMs, environment]);
        }
        for (const one of serving) await reportIn(tx, id, environment, one);
        return { unbroken };
      });
    },

    /** What the replica serves of a model from now on (`version` null: nothing). The same again changes nothing. False where its lease has lapsed: lease again first. */
    async report({ replica, model, version, generation }: Serving & { readonly replica: string }): Promise<boolean> {
      return db.transaction(async (tx) => {
        const [present] = await lock(tx, replica);
        if (!present || present.lapsed) return false;
        await reportIn(tx, replica, present.environment, { model, version, generation });
        return true;
      });
    },

    async live(environment: string): Promise<LiveReplica[]> {
      return parseRows(LiveReplica, await db.query(
        `select r.id, r.url, r.pid, r.lease_until as "leaseUntil",
           coalesce((select json_agg(json_build_object('model', s.model, 'version', s.version, 'generation', s.generation) order by s.model)
             from serving_intervals s where s.replica = r.id and not s.closed), '[]') as serving
         from replicas r where r.environment = $1 and r.lease_until > now() and r.released_at is null order by r.id`,
        [environment]));
    },

    /** Replicas that fell silent within the last `sinceMs` without saying goodbye: what they serve is not known. */
    async lapsed(environment: string, sinceMs: number): Promise<LapsedReplica[]> {
      return parseRows(LapsedReplica, await db.query(
        `select id, url, lease_until as "leaseUntil" from replicas
         where environment = $1 and released_at is null and lease_until <= now() and lease_until > now() - $2 * interval '1 millisecond' order by id`,
        [environment, sinceMs]));
    },

    /** A clean end: the replica serves nothing from now on. */
    async release(id: string): Promise<void> {
      await db.transaction(async (tx) => {
        const [present] = await lock(tx, id);
        if (!present || present.lapsed) return;
        await tx.query('update replicas set lease_until = now(), released_at = now() where id = $1', [id]);
        await tx.query('update lease_intervals set until = greatest(since, now()), released = true where replica = $1 and until > now()', [id]);
        await closeAll(tx, id);
      });
    },
  };
}
export type ReplicasStore = ReturnType<typeof createReplicasStore>;
