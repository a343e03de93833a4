import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ErasedSnapshot, Erasure } from '../contract/erasure.js';
import { erasureHash } from '../domain/erasure.js';
import type { Database } from './database.js';
import { erasureLock } from './snapshots.js';
import { parseFirst, parseRows } from './values.js';

const COLUMNS = 'id, model, key_hash as "keyHash", reason, by, requested_at as "requestedAt", searched_at as "searchedAt"';
const Marked = ErasedSnapshot.extend({ erasure: z.string() });

export function createErasuresStore(db: Database) {
  const saltOf = async (model: string): Promise<string | null> => (await db.query<{ salt: string }>('select salt from erasure_salts where model = $1', [model]))[0]?.salt ?? null;
  return {
    /** Records that a row is to be erased; the same key again gives the first erasure. The key itself is not kept. */
    async request({ id, model, key, columns = [], reason, by }: { id: string; model: string; key: string; columns?: readonly string[]; reason: string; by: string }): Promise<{ erasure: Erasure; created: boolean }> {
      await db.query('insert into erasure_salts (model, salt) values ($1, $2) on conflict do nothing', [model, randomBytes(32).toString('hex')]);
      const keyHash = erasureHash(await saltOf(model) ?? '', key);
      const made = await db.transaction(async (tx) => {
        await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [erasureLock(model)]);
        return parseFirst(Erasure, await tx.query(
          `insert into erasures (id, model, key_hash, reason, by, columns) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning ${COLUMNS}`, [id, model, keyHash, reason, by, [...columns]]));
      });
      if (made) return { erasure: made, created: true };
      // In columns that were not named before, nobody has looked yet.
      await db.query('update erasures set columns = array(select distinct name from unnest(columns || $3::text[]) name order by name), searched_at = null where model = $1 and key_hash = $2 and not columns @> $3::text[]', [model, keyHash, [...columns]]);
      return { erasure: Erasure.parse((await db.query(`select ${COLUMNS} from erasures where model = $1 and key_hash = $2`, [model, keyHash]))[0]), created: false };
    },

    async get(id: string): Promise<Erasure | null> {
      return parseFirst(Erasure, await db.query(`select ${COLUMNS} from erasures where id = $1`, [id]));
    },

    /** Newest first. */
    async listFor(model: string): Promise<Erasure[]> {
      return parseRows(Erasure, await db.query(`select ${COLUMNS} from erasures where model = $1 order by requested_at desc, id`, [model]));
    },

    /** By which rows of a model are recognised as erased; null where none are. */
    async erased(model: string): Promise<{ salt: string; hashes: string[] } | null> {
      const rows = await db.query<{ hash: string }>('select key_hash as hash from erasures where model = $1 order by key_hash', [model]);
      const salt = rows.length === 0 ? null : await saltOf(model);
      return salt === null ? null : { salt, hashes: rows.map(({ hash }) => hash) };
    },

    /** Notes that a snapshot holds the row. A repeated call changes nothing. */
    async mark({ erasure, snapshot, files }: { erasure: string; snapshot: string; files: readonly string[] }): Promise<void> {
      await db.query('insert into erased_snapshots (erasure, snapshot, files) values ($1, $2, $3) on conflict do nothing', [erasure, snapshot, [...files]]);
    },

    /** More files that hold values of the row, each once. */
    async addFiles({ erasure, snapshot, files }: { erasure: string; snapshot: string; files: readonly string[] }): Promise<void> {
      await db.query(
        `update erased_snapshots set files = array(select distinct file from unnest(files || $3::text[]) file order by file) where erasure = $1 and snapshot = $2`, [erasure, snapshot, [...files]]);
    },

    async searched(id: string): Promise<void> {
      await db.query('update erasures set searched_at = now() where id = $1 and searched_at is null', [id]);
    },

    /** The snapshots that hold the row. */
    async snapshotsOf(id: string): Promise<ErasedSnapshot[]> {
      return parseRows(ErasedSnapshot, await db.query('select snapshot, files, removed_at as "removedAt" from erased_snapshots where erasure = $1 order by snapshot', [id]));
    },

    /** The erasures whose row a snapshot holds. */
    async marksOf(snapshot: string): Promise<string[]> {
      return (await db.query<{ erasure: string }>('select erasure from erased_snapshots where snapshot = $1 order by erasure', [snapshot])).map(({ erasure }) => erasure);
    },

    /** Marked snapshots of a model whose files are still there. */
    async toRemove(model: string): Promise<z.infer<typeof Marked>[]> {
      return parseRows(Marked, await db.query(
        `select s.erasure, s.snapshot, s.files, s.removed_at as "removedAt" from erased_snapshots s join erasures e on e.id = s.erasure where e.model = $1 and s.removed_at is null order by s.erasure, s.snapshot`, [model]));
    },

    async removed({ erasure, snapshot }: { erasure: string; snapshot: string }): Promise<void> {
      await db.query('update erased_snapshots set removed_at = now() where erasure = $1 and snapshot = $2 and removed_at is null', [erasure, snapshot]);
    },
  };
}
export type ErasuresStore = ReturnType<typeof createErasuresStore>;
