import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import { Commit, Ref, Sha256 } from '../contract/ref.js';
import { RunError, RunReason, RunStatus, RunStep } from '../contract/run.js';
import type { Database } from './database.js';
import { createRunEventsStore } from './run-events.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** One turn of the loop. `candidate` is what training made, before it is a version. */
export const Run = z.object({
  id: z.string(), model: z.string(), number: z.int(), cause: z.string(), reason: RunReason,
  commit: Commit, trainingDigest: Sha256, policyDigest: Sha256,
  status: RunStatus, step: RunStep, attempt: z.int(),
  snapshot: Sha256.nullable(), candidate: Ref.nullable(), version: z.int().nullable(), evidence: Sha256.nullable(), error: RunError.nullable(),
  createdAt: At, updatedAt: At, endedAt: At.nullable(),
});
export type Run = z.infer<typeof Run>;

export interface NewRun { readonly model: string; readonly cause: string; readonly reason: RunReason; readonly commit: string; readonly trainingDigest: string; readonly policyDigest: string }
/** Fields that become known as a run goes on; a field that is left out stays as it is. */
export interface RunFields { readonly snapshot?: string | null; readonly candidate?: Ref | null; readonly version?: number | null; readonly evidence?: string | null; readonly error?: RunError | null; readonly attempt?: number }

/** An earlier run that trained the same; `version` and `package` are null where its candidate was never registered. */
export const TrainedRun = z.object({ run: z.string(), status: RunStatus, version: z.int().nullable(), package: Sha256.nullable(), candidate: Ref.nullable() });
export type TrainedRun = z.infer<typeof TrainedRun>;

const COLUMNS = `id, model, number, cause, reason, commit, training_digest as "trainingDigest", policy_digest as "policyDigest", status, step, attempt,
  snapshot, candidate, version, evidence, error, created_at as "createdAt", updated_at as "updatedAt", ended_at as "endedAt"`;

/** Ended with its purpose reached: its step is `done`. Otherwise the step stays where it ended. */
const COMPLETE: readonly RunStatus[] = ['released', 'applied', 'unchanged'];

export function createRunsStore(db: Database) {
  const find = async (on: Database, model: string, cause: string) => parseFirst(Run, await on.query(`select ${COLUMNS} from runs where model = $1 and cause = $2`, [model, cause]));
  return {
    ...createRunEventsStore(db),

    /** The run of this model and cause: a repeated call gives the first one. Its id is `<model>-r<number>`. Throws `model/unknown`. */
    async create(run: NewRun): Promise<{ run: Run; created: boolean }> {
      return db.transaction(async (tx) => {
        // The row lock puts creators of one model in a line, so that a repeated cause takes no number.
        const [model] = await tx.query<{ next: number }>('select next_run as next from models where name = $1 for update', [run.model]);
        if (!model) throw new PerennialError('model/unknown', `There is no model ${run.model}`, { model: run.model });
        const before = await find(tx, run.model, run.cause);
        if (before) return { run: before, created: false };
        await tx.query('update models set next_run = next_run + 1 where name = $1', [run.model]);
        const rows = await tx.query(
          `insert into runs (id, model, number, cause, reason, commit, training_digest, policy_digest)
           values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`,
          [`${run.model}-r${model.next}`, run.model, model.next, run.cause, json(run.reason), run.commit, run.trainingDigest, run.policyDigest]);
        return { run: Run.parse(rows[0]), created: true };
      });
    },

    async get(id: string): Promise<Run | null> {
      return parseFirst(Run, await db.query(`select ${COLUMNS} from runs where id = $1`, [id]));
    },

    /** Newest first; at most `limit` (100 unless told). */
    async list({ model, limit = 100, status }: { model?: string; limit?: number; status?: RunStatus } = {}): Promise<Run[]> {
      return parseRows(Run, await db.query(
        `select ${COLUMNS} from runs where ($1::text is null or model = $1) and ($2::text is null or status = $2) order by created_at desc, number desc limit $3`,
        [model ?? null, status ?? null, limit]));
    },

    /** Where an open run is now; an ended run stays as it ended. Returns whether it is open. */
    async setStep(id: string, step: RunStep, status?: 'queued' | 'running' | 'waiting'): Promise<boolean> {
      const rows = await db.query('update runs set step = $2, status = coalesce($3, status), updated_at = now() where id = $1 and ended_at is null returning id', [id, step, status ?? null]);
      return rows.length > 0;
    },

    async setFields(id: string, fields: RunFields): Promise<void> {
      const given: [column: string, value: unknown][] = [];
      if (fields.snapshot !== undefined) given.push(['snapshot', fields.snapshot]);
      if (fields.candidate !== undefined) given.push(['candidate', jsonOrNull(fields.candidate)]);
      if (fields.version !== undefined) given.push(['version', fields.version]);
      if (fields.evidence !== undefined) given.push(['evidence', fields.evidence]);
      if (fields.error !== undefined) given.push(['error', jsonOrNull(fields.error)]);
      if (fields.attempt !== undefined) given.push(['attempt', fields.attempt]);
      const sets = given.map(([column], index) => `${column} = $${index + 2}`);
      const rows = await db.query(`update runs set ${[...sets, 'updated_at = now()'].join(', ')} where id = $1 returning id`, [id, ...given.map(([, value]) => value)]);
      if (rows.length === 0) throw new PerennialError('run/unknown', `There is no run ${id}`, { run: id });
    },

    /** The first end wins. True where the run ended as this call says, now or at an earlier try of the same call. */
    async end(id: string, status: Exclude<RunStatus, 'queued' | 'running' | 'waiting'>, error?: RunError | null): Promise<boolean> {
      const ended = await db.query(
        `update runs set status = $2, error = coalesce($3, error), ended_at = now(), updated_at = now(), step = case when $4 then 'done' else step end
         where id = $1 and ended_at is null returning id`,
        [id, status, jsonOrNull(error), COMPLETE.includes(status)]);
      if (ended.length > 0) return true;
      const [present] = await db.query<{ status: RunStatus }>('select status from runs where id = $1', [id]);
      if (!present) throw new PerennialError('run/unknown', `There is no run ${id}`, { run: id });
      return present.status === status;
    },

    /** The newest run that finished training with this training digest and snapshot, leaving out `exceptRun` (the asking one). */
    async trainedBefore(model: string, trainingDigest: string, snapshot: string, exceptRun?: string): Promise<TrainedRun | null> {
      return parseFirst(TrainedRun, await db.query(
        `select r.id as run, r.status, v.version, v.package_digest as package, r.candidate
         from runs r left join versions v on v.run = r.id
         where r.model = $1 and r.training_digest = $2 and r.snapshot = $3 and r.id is distinct from $4 and (r.candidate is not null or v.version is not null)
         order by v.version desc nulls last, r.number desc limit 1`,
        [model, trainingDigest, snapshot, exceptRun ?? null]));
    },

    /** Runs that a snapshot was built or found for, oldest first. */
    async ofSnapshot(model: string, digest: string): Promise<Run[]> {
      return parseRows(Run, await db.query(`select ${COLUMNS} from runs where model = $1 and snapshot = $2 order by number`, [model, digest]));
    },

    /** Runs that a finding asked for, oldest first. */
    async ofFinding(model: string, finding: number): Promise<Run[]> {
      return parseRows(Run, await db.query(`select ${COLUMNS} from runs where model = $1 and (cause = $2 or cause like $2 || '/%') order by number`, [model, `finding/${finding}`]));
    },

    /** Runs that have not ended, oldest first. */
    async open(model: string): Promise<Run[]> {
      return parseRows(Run, await db.query(`select ${COLUMNS} from runs where model = $1 and ended_at is null order by number`, [model]));
    },

    /** How many runs were created at or after this instant, whatever became of them. */
    async countSince(model: string, instant: string): Promise<number> {
      const [row] = await db.query<{ n: number }>('select count(*) as n from runs where model = $1 and created_at >= $2', [model, instant]);
      return row?.n ?? 0;
    },

    async lastEnded(model: string): Promise<Run | null> {
      return parseFirst(Run, await db.query(`select ${COLUMNS} from runs where model = $1 and ended_at is not null order by ended_at desc, number desc limit 1`, [model]));
    },
  };
}
export type RunsStore = ReturnType<typeof createRunsStore>;
