import { z } from 'zod';
import { Ref } from '../contract/ref.js';
import type { Database } from './database.js';
import { At, json, parseRows } from './values.js';

const Partition = z.object({ partition: z.int(), rows: z.int(), output: Ref, completedAt: At });
/** A batch-scoring job; `completed` holds the partitions that are done, in order. */
export const Score = z.object({
  job: z.string(), model: z.string(), version: z.int(), input: z.record(z.string(), z.unknown()), outputPrefix: z.string(), partitions: z.int(), rows: z.int(),
  createdAt: At, finishedAt: At.nullable(), completed: z.array(Partition),
});
export type Score = z.infer<typeof Score>;
/** A job without its partitions. */
export const ScoreSummary = Score.pick({ job: true, rows: true, outputPrefix: true, createdAt: true, finishedAt: true });
export type ScoreSummary = z.infer<typeof ScoreSummary>;
export type NewScore = Omit<Score, 'createdAt' | 'finishedAt' | 'completed'>;

export function createScoresStore(db: Database) {
  async function get(job: string): Promise<Score | null> {
    const [row] = await db.query<object>(
      'select job, model, version, input, output_prefix as "outputPrefix", partitions, rows, created_at as "createdAt", finished_at as "finishedAt" from scores where job = $1', [job]);
    if (!row) return null;
    const completed = await db.query('select partition, rows, output, completed_at as "completedAt" from score_partitions where job = $1 order by partition', [job]);
    return Score.parse({ ...row, completed });
  }

  return {
    get,

    /** Jobs that a version scored, newest first; at most 100. */
    async listFor(model: string, version: number): Promise<ScoreSummary[]> {
      return parseRows(ScoreSummary, await db.query(
        'select job, rows, output_prefix as "outputPrefix", created_at as "createdAt", finished_at as "finishedAt" from scores where model = $1 and version = $2 order by created_at desc limit 100', [model, version]));
    },

    /** A job keeps what it was created with; a repeated call gives it back, with the partitions that are done. */
    async create(s: NewScore): Promise<Score> {
      await db.query(
        'insert into scores (job, model, version, input, output_prefix, partitions, rows) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing',
        [s.job, s.model, s.version, json(s.input), s.outputPrefix, s.partitions, s.rows]);
      const job = await get(s.job);
      if (!job) throw new Error(`The job ${s.job} vanished while it was created`);
      return job;
    },

    /** Returns whether this completed it; a partition that is done stays as it is. */
    async completePartition({ job, partition, rows, output }: { job: string; partition: number; rows: number; output: Ref }): Promise<boolean> {
      return (await db.query('insert into score_partitions (job, partition, rows, output) values ($1, $2, $3, $4) on conflict do nothing returning partition', [job, partition, rows, json(output)])).length > 0;
    },

    /** Marks the job as done. False while partitions are missing. */
    async finish(job: string): Promise<boolean> {
      const rows = await db.query(
        `update scores set finished_at = coalesce(finished_at, now())
         where job = $1 and partitions = (select count(*) from score_partitions where job = $1) returning job`, [job]);
      return rows.length > 0;
    },
  };
}
export type ScoresStore = ReturnType<typeof createScoresStore>;
