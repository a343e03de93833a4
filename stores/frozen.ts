import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import type { EvaluationReport } from '../contract/evaluation.js';
import { FrozenMeasurement, FrozenRevision, FrozenSet } from '../contract/frozen.js';
import { Ref } from '../contract/ref.js';
import type { Database } from './database.js';
import { erasureLock } from './snapshots.js';
import { json, parseRows } from './values.js';

const Replaced = z.object({ name: z.string(), revision: z.int(), files: z.array(z.string()) });
const Head = FrozenSet.omit({ revisions: true });
const Revision = FrozenRevision.extend({ name: z.string() });

type Rows = Pick<FrozenRevision, 'digest' | 'manifest' | 'rows'>;

/** Test rows that were frozen under a name, and what was measured on them. */
export function createFrozenStore(db: Database) {
  const listFor = async (model: string, on: Pick<Database, 'query'> = db): Promise<FrozenSet[]> => {
    const heads = parseRows(Head, await on.query('select model, name, snapshot, reason, by, frozen_at as "frozenAt" from frozen_sets where model = $1 order by frozen_at, name', [model]));
    const revisions = parseRows(Revision, await on.query('select name, revision, digest, manifest, rows, erasure, made_at as "madeAt" from frozen_revisions where model = $1 order by revision', [model]));
    return heads.map((head) => FrozenSet.parse({ ...head, revisions: revisions.filter(({ name }) => name === head.name) }));
  };
  return {
    /** A model's frozen test sets, oldest first. */
    listFor: (model: string): Promise<FrozenSet[]> => listFor(model),

    async get(model: string, name: string): Promise<FrozenSet | null> {
      return (await listFor(model)).find((set) => set.name === name) ?? null;
    },

    /** Freezes rows under a name that is free; a name that is taken gives what it has, whatever that is. Throws `data/erased` where the snapshot holds an erased row. */
    async freeze({ model, name, snapshot, reason, by, rows }: { model: string; name: string; snapshot: string; reason: string; by: string; rows: Rows }): Promise<{ set: FrozenSet; created: boolean }> {
      return db.transaction(async (tx) => {
        // Under the lock an erasure's search either finds the set, or its mark on the snapshot is seen here.
        await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [erasureLock(model)]);
        const known = (await listFor(model, tx)).find((set) => set.name === name);
        if (known) return { set: known, created: false };
        const [marked] = await tx.query<{ erasure: string }>('select erasure from erased_snapshots where snapshot = $1 order by erasure limit 1', [snapshot]);
        if (marked) throw new PerennialError('data/erased', `snapshot ${snapshot} holds a row that was erased (${marked.erasure}): its test rows cannot be frozen`, { snapshot });
        await tx.query('insert into frozen_sets (model, name, snapshot, reason, by) values ($1, $2, $3, $4, $5)', [model, name, snapshot, reason, by]);
        await tx.query('insert into frozen_revisions (model, name, revision, digest, manifest, rows) values ($1, $2, 1, $3, $4, $5)', [model, name, rows.digest, json(rows.manifest), rows.rows]);
        const made = (await listFor(model, tx)).find((set) => set.name === name);
        if (!made) throw new Error(`the frozen set ${name} of ${model} is not there`);
        return { set: made, created: true };
      });
    },

    /** The sets that an erasure's search has to look through: all that are frozen before its marks on snapshots were seen. */
    async toSearch(model: string): Promise<FrozenSet[]> {
      return db.transaction(async (tx) => {
        await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [erasureLock(model)]);
        return listFor(model, tx);
      });
    },

    /** A revision without an erased row. A repeated call changes nothing. */
    async revise({ model, name, revision, rows, erasure, replaced }: { model: string; name: string; revision: number; rows: Rows; erasure: string; replaced: readonly string[] }): Promise<void> {
      await db.query(
        'insert into frozen_revisions (model, name, revision, digest, manifest, rows, erasure, replaced) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing',
        [model, name, revision, rows.digest, json(rows.manifest), rows.rows, erasure, [...replaced]]);
    },

    /** Sets that were made anew for an erasure. */
    async revisedFor(erasure: string): Promise<{ name: string; revision: number; rows: number }[]> {
      return parseRows(Revision.pick({ name: true, revision: true, rows: true }), await db.query('select name, revision, rows from frozen_revisions where erasure = $1 order by name', [erasure]));
    },

    /** Files of former revisions that hold an erased row and are still there. */
    async toRemove(model: string): Promise<z.infer<typeof Replaced>[]> {
      return parseRows(Replaced, await db.query('select name, revision, replaced as files from frozen_revisions where model = $1 and removed_at is null and cardinality(replaced) > 0 order by name, revision', [model]));
    },

    async removed({ model, name, revision }: { model: string; name: string; revision: number }): Promise<void> {
      await db.query('update frozen_revisions set removed_at = now() where model = $1 and name = $2 and revision = $3 and removed_at is null', [model, name, revision]);
    },

    /** Manifests of what all models' sets are now: their files stay. */
    async manifests(): Promise<Ref[]> {
      return parseRows(z.object({ manifest: Ref }), await db.query('select distinct on (model, name) manifest from frozen_revisions order by model, name, revision desc')).map(({ manifest }) => manifest);
    },

    /** What a run's model came to on a set's rows; the newest figures count. */
    async measured({ model, name, digest, run, report }: { model: string; name: string; digest: string; run: string; report: EvaluationReport }): Promise<void> {
      await db.query(
        `insert into frozen_measurements (model, name, digest, run, report) values ($1, $2, $3, $4, $5)
         on conflict (model, name, digest, run) do update set report = excluded.report, measured_at = now()`, [model, name, digest, run, json(report)]);
    },

    /** All that was measured on a set, oldest first. */
    async measurements(model: string, name: string): Promise<FrozenMeasurement[]> {
      return parseRows(FrozenMeasurement, await db.query(
        `select m.digest, m.run, v.version, m.report, m.measured_at as "measuredAt" from frozen_measurements m left join versions v on v.run = m.run
         where m.model = $1 and m.name = $2 order by m.measured_at, m.run`, [model, name]));
    },
  };
}
export type FrozenStore = ReturnType<typeof createFrozenStore>;
