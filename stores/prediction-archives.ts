import { z } from 'zod';
import { Ref } from '../contract/ref.js';
import type { Database } from './database.js';
import { dayAfter, partitionOf, type ByDay } from './prediction-partitions.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** A UTC day of the log as a Parquet file. */
export const PredictionArchive = z.object({ log: z.enum(['predictions', 'refusals']), day: z.iso.date(), rows: z.int(), file: Ref, archivedAt: At });
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
    ...asText('varchar', ['latency_parts', 'status', 'trace_id', 'caller', 'outputs_kept']),
  ],
  refusals: [
    ...asText('uuid', ['id']), ...asText('varchar', ['request_id', 'model']), ...asText('integer', ['version']), ...asText('varchar', ['environment', 'role']), ...asText('integer', ['generation']),
    ...asText('varchar', ['replica']), AT, ...asText('integer', ['status']), ...asText('varchar', ['reason']), ...asText('integer', ['rows']), ...asText('double', ['latency_ms']), ...asText('varchar', ['trace_id', 'caller']),
  ],
};

const COLUMNS = `log, to_char(day, 'YYYY-MM-DD') as day, rows, file, archived_at as "archivedAt"`;
const PAGE = 500;
/** For this long a day is looked at again: a replica whose PostgreSQL was away copies late. */
const LATE_DAYS = 14;

export function createPredictionArchivesStore(db: Database) {
  async function partitionDays(log: ByDay): Promise<string[]> {
    const rows = await db.query<{ name: string }>('select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::regclass order by relname', [log]);
    return rows.map(({ name }) => name.slice(-8)).map((digits) => `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`);
  }

  async function get(log: ByDay, day: string): Promise<PredictionArchive | null> {
    return parseFirst(PredictionArchive, await db.query(`select ${COLUMNS} from prediction_archives where log = $1 and day = $2`, [log, day]));
  }

  return {
    get,

    /** Days that are over at `now` and not in S3, or with fewer rows than the log has by now, oldest first. */
    async due(log: ByDay, now: string): Promise<string[]> {
      const archived = new Map((await db.query<{ day: string; rows: number }>(`select to_char(day, 'YYYY-MM-DD') as day, rows from prediction_archives where log = $1`, [log])).map(({ day, rows }) => [day, rows]));
      const lateFrom = new Date(Date.parse(now) - LATE_DAYS * 86_400_000).toISOString().slice(0, 10);
      const due: string[] = [];
      for (const day of await partitionDays(log)) {
        if (Date.parse(`${dayAfter(day)}T00:00:00Z`) > Date.parse(now)) continue;
        const before = archived.get(day);
        if (before !== undefined && day < lateFrom) continue;
        const [counted] = await db.query<{ n: number }>(`select count(*) as n from ${partitionOf(log, day)}`);
        if (counted && counted.n !== (before ?? 0)) due.push(day);
      }
      return due;
    },

    /** A day's rows in the order of their ids, in pages; each row its values in the order of {@link ARCHIVED_COLUMNS}. */
    async *rows(log: ByDay, day: string): AsyncGenerator<(string | Uint8Array | null)[][], void, undefined> {
      const columns = ARCHIVED_COLUMNS[log];
      const selected = columns.map(({ name, sql }) => `${sql} as "${name}"`).join(', ');
      let after = '00000000-0000-0000-0000-000000000000';
      for (;;) {
        const rows = await db.query<Record<string, string | Uint8Array | null>>(`select ${selected} from ${partitionOf(log, day)} t where t.id > $1::uuid order by t.id limit ${PAGE}`, [after]);
        if (rows.length > 0) yield rows.map((row) => columns.map(({ name }) => row[name] ?? null));
        const last = rows.at(-1)?.['id'];
        if (rows.length < PAGE || typeof last !== 'string') return;
        after = last;
      }
    },

    /** Notes the day's file, instead of an earlier one, whose reference is given back. */
    async save({ log, day, rows, file }: Omit<PredictionArchive, 'archivedAt'>): Promise<Ref | null> {
      const before = await get(log, day);
      await db.query(
        `insert into prediction_archives (log, day, rows, file) values ($1, $2, $3, $4)
         on conflict (log, day) do update set rows = excluded.rows, file = excluded.file, archived_at = now()`, [log, day, rows, json(file)]);
      return before && before.file.uri !== file.uri ? before.file : null;
    },

    /** Oldest first. */
    async list(log: ByDay): Promise<PredictionArchive[]> {
      return parseRows(PredictionArchive, await db.query(`select ${COLUMNS} from prediction_archives where log = $1 order by day`, [log]));
    },
  };
}
export type PredictionArchivesStore = ReturnType<typeof createPredictionArchivesStore>;
