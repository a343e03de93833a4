import { z } from 'zod';
import { Commit } from '../contract/ref.js';
import { RunError } from '../contract/run.js';
import type { Database } from './database.js';
import { At, jsonOrNull, parseFirst, parseRows } from './values.js';

/** What became of a commit. `models`: those defined in it. */
export const Intake = z.object({
  repository: z.string(), commit: Commit, branch: z.string(), committer: z.object({ name: z.string(), email: z.string() }), message: z.string(), committedAt: At.nullable(),
  status: z.enum(['open', 'accepted', 'refused']), models: z.array(z.string()), error: RunError.nullable(), startedAt: At, endedAt: At.nullable(),
});
export type Intake = z.infer<typeof Intake>;

const COLUMNS = `repository, commit, branch, json_build_object('name', committer_name, 'email', committer_email) as committer, message, committed_at as "committedAt", status, models, error,
  started_at as "startedAt", ended_at as "endedAt"`;

/** Intakes of commits; part of the models store. */
export function createIntakesStore(db: Database) {
  return {
    /** Returns whether this commit's intake is new. */
    async startIntake({ repository, commit, branch, committer, message }: { repository: string; commit: string; branch: string; committer: { name: string; email: string }; message: string }): Promise<boolean> {
      const rows = await db.query(
        'insert into intakes (repository, commit, branch, committer_name, committer_email, message) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning commit',
        [repository, commit, branch, committer.name, committer.email, message]);
      return rows.length > 0;
    },

    /** What the commit itself says, known once it was fetched. */
    async describeIntake({ repository, commit, committer, message, committedAt }: { repository: string; commit: string; committer: { name: string; email: string }; message: string; committedAt: string }): Promise<void> {
      await db.query(
        'update intakes set committer_name = $3, committer_email = $4, message = $5, committed_at = $6 where repository = $1 and commit = $2',
        [repository, commit, committer.name, committer.email, message, committedAt]);
    },

    /** The newest outcome counts: a refused commit may be taken in again. */
    async finishIntake({ repository, commit, status, models, error }: { repository: string; commit: string; status: 'accepted' | 'refused'; models: readonly string[]; error: RunError | null }): Promise<void> {
      await db.query('update intakes set status = $3, models = $4, error = $5, ended_at = now() where repository = $1 and commit = $2', [repository, commit, status, models, jsonOrNull(error)]);
    },

    async getIntake(repository: string, commit: string): Promise<Intake | null> {
      return parseFirst(Intake, await db.query(`select ${COLUMNS} from intakes where repository = $1 and commit = $2`, [repository, commit]));
    },

    /** Of a branch's accepted commits the one that was made last, by its committer's clock. */
    async newestAccepted(repository: string, branch: string): Promise<Intake | null> {
      return parseFirst(Intake, await db.query(`select ${COLUMNS} from intakes where repository = $1 and branch = $2 and status = 'accepted' and committed_at is not null order by committed_at desc, ended_at desc limit 1`, [repository, branch]));
    },

    /** Newest first. */
    async listIntakes({ repository, limit = 50 }: { repository?: string; limit?: number } = {}): Promise<Intake[]> {
      return parseRows(Intake, await db.query(`select ${COLUMNS} from intakes where $1::text is null or repository = $1 order by started_at desc limit $2`, [repository ?? null, limit]));
    },
  };
}
