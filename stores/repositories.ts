import { z } from 'zod';
import { Commit } from '../contract/ref.js';
import { PerennialError } from '../contract/errors.js';
import type { Database } from './database.js';
import { At, parseFirst, parseRows } from './values.js';

/** `pollSeconds` 0: not polled, hooks only. */
export const Repository = z.object({ name: z.string(), url: z.string(), branches: z.array(z.string()), pollSeconds: z.int(), addedBy: z.string(), addedAt: At });
export type Repository = z.infer<typeof Repository>;
export const Head = z.object({ branch: z.string(), commit: Commit, seenAt: At });
export type Head = z.infer<typeof Head>;

const COLUMNS = 'name, url, branches, poll_seconds as "pollSeconds", added_by as "addedBy", added_at as "addedAt"';

export function createRepositoriesStore(db: Database) {
  return {
    /** Registers, or changes the address, branches and polling of a registered one. */
    async add({ name, url, branches, pollSeconds, by }: { name: string; url: string; branches: readonly string[]; pollSeconds: number; by: string }): Promise<Repository> {
      const rows = await db.query(
        `insert into repositories (name, url, branches, poll_seconds, added_by) values ($1, $2, $3, $4, $5)
         on conflict (name) do update set url = excluded.url, branches = excluded.branches, poll_seconds = excluded.poll_seconds returning ${COLUMNS}`,
        [name, url, branches, pollSeconds, by]);
      return Repository.parse(rows[0]);
    },

    async get(name: string): Promise<Repository | null> {
      return parseFirst(Repository, await db.query(`select ${COLUMNS} from repositories where name = $1`, [name]));
    },

    async list(): Promise<Repository[]> {
      return parseRows(Repository, await db.query(`select ${COLUMNS} from repositories order by name`));
    },

    /**
     * Notes the newest commit that was seen on a branch. True when it is another one than before. Start the intake first and note
     * the head then: a process that dies between the two sees the commit as new once more, and an intake may start twice.
     */
    async setHead(repository: string, branch: string, commit: string): Promise<boolean> {
      const [known] = await db.query('select 1 from repositories where name = $1', [repository]);
      if (!known) throw new PerennialError('repository/unknown', `There is no repository ${repository}`, { repository });
      const rows = await db.query(
        `insert into repository_heads as head (repository, branch, commit) values ($1, $2, $3)
         on conflict (repository, branch) do update set commit = excluded.commit, seen_at = now() where head.commit <> excluded.commit returning commit`,
        [repository, branch, commit]);
      return rows.length > 0;
    },

    async heads(repository: string): Promise<Head[]> {
      return parseRows(Head, await db.query('select branch, commit, seen_at as "seenAt" from repository_heads where repository = $1 order by branch', [repository]));
    },
  };
}
export type RepositoriesStore = ReturnType<typeof createRepositoriesStore>;
