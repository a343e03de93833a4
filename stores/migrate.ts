import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from './database.js';

interface Applied { name: string; checksum: string }

/** `infra/migrations` of the package, whether this runs from the sources or from `dist/`. */
function migrationsFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'infra', 'migrations');
    if (existsSync(candidate)) return candidate;
  }
  throw new Error('The folder infra/migrations is missing from this installation: install the package again');
}

/**
 * Brings the database's schema to this release: applies `infra/migrations/*.sql` in order, each in its own transaction under one
 * advisory lock, so several processes may call it at once and a killed one leaves whole files.
 * @returns the names of the files that this call applied
 * @throws Error where an applied file was changed afterwards, or where the database was written by a newer release
 */
export async function migrate(db: Database, folder: string = migrationsFolder()): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_-]+\.sql$/.test(name)).sort();
  const files = await Promise.all(names.map(async (name) => {
    const sql = await readFile(join(folder, name), 'utf8');
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  }));
  const applied: string[] = [];
  for (const file of files) if (await db.transaction((tx) => applyOne(tx, file, names))) applied.push(file.name);
  return applied;
}

async function applyOne(tx: Database, file: { name: string; sql: string; checksum: string }, known: readonly string[]): Promise<boolean> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('perennial/migrations', 0))");
  await tx.query(`create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const rows = await tx.query<Applied>('select name, checksum from schema_migrations order by name');
  const foreign = rows.find((row) => !known.includes(row.name));
  if (foreign) throw new Error(`The database has the migration ${foreign.name}, which this release does not know: it was written by a newer one`);
  const before = rows.find((row) => row.name === file.name);
  if (before === undefined) {
    await tx.query(file.sql);
    await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [file.name, file.checksum]);
    return true;
  }
  if (before.checksum !== file.checksum) throw new Error(`The migration ${file.name} was changed after it was applied: put the old text back and write a new file`);
  return false;
}
