import { z } from 'zod';
import { Ref } from '../contract/ref.js';
import type { Database } from './database.js';
import { dayAfter, partitionOf, PARTITIONS_LOCK, type ByDay } from './prediction-partitions.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** A UTC day of the log as a Parquet file; `removedAt`: since when it is nowhere else. */
export const PredictionArchive = z.object({ log: z.enum(['predictions', 'refusals']), day: z.iso.date(), rows: z.int(), file: Ref, archivedAt: At, removedAt: At.nullable() });
export type PredictionArchive = z.infer<typeof PredictionArchive>;

/** A column as a file has it: how PostgreSQL gives it (text, but for bytes), and what it becomes there. */
export interface ArchivedColumn { readonly name: string; readonly sql: string; readonly type: string }

const asText = (type: string, names: readonly string[]): ArchivedColumn[] => names.map((name) => ({ name, sql: `${name}::text`, type }));
/** Without a zone: UTC. */
const AT: ArchivedColumn = { name: 'at', sql: `to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`, type: 'timestamp' };

/** What of each log goes into its files. New columns come last: files of before do not have them, and are read beside newer ones by name. */
export const ARCHIVED_COLUMNS: Readonly<Record<ByDay, readonly ArchivedColumn[]>> = {
  predictions: [
    ...asText('uuid', ['id']), ...asText('varchar', ['request_id', 'model']), ...asText('integer', ['version']), ...asText('varchar', ['environment', 'role']), ...asText('integer', ['generation']),
    ...asText('varchar', ['replica']), AT, ...asText('integer', ['rows']), { name: 'input', sql: 'input', type: 'blob' }, ...asText('varchar', ['input_kept']),
    { name: 'input_shape', sql: 'array_to_json(input_shape)::text', type: 'integer[]' }, ...asText('varchar', ['input_digest', 'attributes', 'outputs']), ...asText('double', ['latency_ms']),
    ...asText('varchar', ['latency_parts', 'status', 'trace_id', 'caller', 'outputs_kept', 'guarded', 'erased', 'explanation']),
  ],
  refusals: [
    ...asText('uuid', ['id']), ...asText('varchar', ['request_id', 'model']), ...asText('integer', ['version']), ...asText('varchar', ['environment', 'role']), ...asText('integer', ['generation']),
    ...asText('varchar', ['replica']), AT, ...asText('integer', ['status']), ...asText('varchar', ['reason']), ...asText('integer', ['rows']), ...asText('double', ['latency_ms']), ...asText('varchar', ['trace_id', 'caller', 'guardrails']),
  ],
};

const COLUMNS = `log, to_char(day, 'YYYY-MM-DD') as day, rows, file, archived_at as "archivedAt", removed_at as "removedAt"`;
const PAGE = 500;
/** For this long a day is looked at again: a replica whose PostgreSQL was away copies late. */
const LATE_DAYS = 14;

/** A day that nobody else works on. */
export interface HeldDay {
  get(): Promise<PredictionArchive | null>;
  /** Notes the day's file, instead of an earlier one. */
  save(written: Pick<PredictionArchive, 'rows' | 'file'>): Promise<void>;
  /** Removes the day from PostgreSQL; false, and nothing is done, where more than `rows` are there by now. */
  remove(rows: number): Promise<boolean>;
}

/** A statement in a while keeps a held day's transaction alive. */
const ALIVE_MS = 20_000;
/** How long whoever removes a partition waits for those who read it, and holds up others meanwhile. */
const LOCK_MS = 5_000;

export function createPredictionArchivesStore(db: Database) {
  async function partitionDays(log: ByDay): Promise<string[]> {
    const rows = await db.query<{ name: string }>('select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::regclass order by relname', [log]);
    return rows.map(({ name }) => name.slice(-8)).map((digits) => `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`);
  }

  async function get(log: ByDay, day: string, on: Pick<Database, 'query'> = db): Promise<PredictionArchive | null> {
    return parseFirst(PredictionArchive, await on.query(`select ${COLUMNS} from prediction_archives where log = $1 and day = $2`, [log, day]));
  }

  /** Removes the day's partition, where it holds `rows` rows as it did when they were compared. Everybody who writes predictions waits for this moment; who reads the day waits, too. */
  async function removePartition(tx: Database, log: ByDay, day: string, rows: number): Promise<boolean> {
    await tx.query(`set local lock_timeout = '${LOCK_MS}ms'`);
    await tx.query(PARTITIONS_LOCK);
    await tx.query(`lock table only ${log} in access exclusive mode`);
    const [counted] = await tx.query<{ n: number }>(`select count(*) as n from ${partitionOf(log, day)}`);
    if (counted?.n !== rows) return false;
    await tx.query(`drop table ${partitionOf(log, day)}`);
    await tx.query('update prediction_archives set removed_at = now() where log = $1 and day = $2', [log, day]);
    return true;
  }

  return {
    get: (log: ByDay, day: string) => get(log, day),

    /** Days that are over at `now` and not in S3, or with fewer rows than the log has by now, oldest first. */
    async due(log: ByDay, now: string): Promise<string[]> {
      const archived = new Map((await db.query<{ day: string; rows: number; removed: boolean }>(`select to_char(day, 'YYYY-MM-DD') as day, rows, removed_at is not null as removed from prediction_archives where log = $1`, [log])).map(({ day, ...of }) => [day, of]));
      const lateFrom = new Date(Date.parse(now) - LATE_DAYS * 86_400_000).toISOString().slice(0, 10);
      const due: string[] = [];
      for (const day of await partitionDays(log)) {
        if (Date.parse(`${dayAfter(day)}T00:00:00Z`) > Date.parse(now)) continue;
        const before = archived.get(day);
        if (before !== undefined && !before.removed && day < lateFrom) continue;
        const [counted] = await db.query<{ n: number }>(`select count(*) as n from ${partitionOf(log, day)}`);
        // What came of a day that was removed is all that its partition holds.
        if (counted && counted.n !== (before === undefined || before.removed ? 0 : before.rows)) due.push(day);
      }
      return due;
    },

    /** A day's rows, of all models or of these, in the order of their ids, in pages; each row its values in the order of {@link ARCHIVED_COLUMNS}. */
    async *rows(log: ByDay, day: string, models: readonly string[] | null = null): AsyncGenerator<(string | Uint8Array | null)[][], void, undefined> {
      const columns = ARCHIVED_COLUMNS[log];
      const selected = columns.map(({ name, sql }) => `${sql} as "${name}"`).join(', ');
      let after = '00000000-0000-0000-0000-000000000000';
      for (;;) {
        const rows = await db.query<Record<string, string | Uint8Array | null>>(`select ${selected} from ${partitionOf(log, day)} t where t.id > $1::uuid and ($2::text[] is null or t.model = any($2::text[])) order by t.id limit ${PAGE}`, [after, models]);
        if (rows.length > 0) yield rows.map((row) => columns.map(({ name }) => row[name] ?? null));
        const last = rows.at(-1)?.['id'];
        if (rows.length < PAGE || typeof last !== 'string') return;
        after = last;
      }
    },

    /**
     * Works on a day's file alone: others who would wait until it is done. `save` notes the file as part of that, so that where the connection was lost, and with it the hold, nothing
     * is noted.
     */
    async holdingDay<T>(log: ByDay, day: string, work: (held: HeldDay) => Promise<T>): Promise<T> {
      return db.transaction(async (tx) => {
        await tx.query(`select pg_advisory_xact_lock(hashtextextended('predictions/archive/' || $1 || '/' || $2, 0))`, [log, day]);
        let lost: Error | undefined;
        // PostgreSQL ends a transaction in which nothing happens for a minute.
        const alive = setInterval(() => { tx.query('select 1').catch((error: unknown) => { lost ??= error instanceof Error ? error : new Error(String(error)); }); }, ALIVE_MS);
        try {
          return await work({
            get: () => get(log, day, tx),
            save: async ({ rows, file }) => {
              if (lost !== undefined) throw lost;
              await tx.query(
                `insert into prediction_archives (log, day, rows, file) values ($1, $2, $3, $4)
                 on conflict (log, day) do update set rows = excluded.rows, file = excluded.file, archived_at = now()`, [log, day, rows, json(file)]);
            },
            remove: (rows) => removePartition(tx, log, day, rows),
          });
        } finally {
          clearInterval(alive);
        }
      });
    },

    /** Days with a partition that are older than `keepDays` at `now` and in S3, oldest first. */
    async old(log: ByDay, now: string, keepDays: number): Promise<string[]> {
      const before = new Date(Date.parse(now) - keepDays * 86_400_000).toISOString().slice(0, 10);
      const archived = new Set((await db.query<{ day: string }>(`select to_char(day, 'YYYY-MM-DD') as day from prediction_archives where log = $1 and day < $2::date`, [log, before])).map(({ day }) => day));
      return (await partitionDays(log)).filter((day) => archived.has(day));
    },

    /** Of these days, those that are no longer in PostgreSQL. */
    async removed(log: ByDay, days: readonly string[]): Promise<string[]> {
      return (await db.query<{ day: string }>(`select to_char(day, 'YYYY-MM-DD') as day from prediction_archives where log = $1 and day = any($2::date[]) and removed_at is not null order by day`, [log, days])).map(({ day }) => day);
    },

    /** Days that are in PostgreSQL, oldest first. */
    partitions: (log: ByDay) => partitionDays(log),

    /** Oldest first. */
    async list(log: ByDay): Promise<PredictionArchive[]> {
      return parseRows(PredictionArchive, await db.query(`select ${COLUMNS} from prediction_archives where log = $1 order by day`, [log]));
    },
  };
}
export type PredictionArchivesStore = ReturnType<typeof createPredictionArchivesStore>;
