import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import { EnvironmentLock } from '../contract/package.js';
import { Commit, Ref, Sha256 } from '../contract/ref.js';
import { mayTransition, VERSION_STATUSES, type VersionStatus } from '../domain/version-status.js';
import type { Database } from './database.js';
import { At, json, parseFirst, parseRows } from './values.js';

const Status = z.enum(VERSION_STATUSES);
/** A registered version, `<model>@<version>`. */
export const Version = z.object({
  model: z.string(), version: z.int(), run: z.string(), status: Status, packageDigest: Sha256, manifest: Ref, commit: Commit, snapshot: Sha256, trainingDigest: Sha256,
  hyperparameters: z.record(z.string(), z.unknown()), environmentLock: EnvironmentLock, metrics: z.record(z.string(), z.unknown()),
  by: z.string(), reason: z.string(), registeredAt: At,
});
export type Version = z.infer<typeof Version>;
/** `from` null: its registration. */
export const Transition = z.object({ eventId: z.string(), from: Status.nullable(), to: Status, by: z.string(), why: z.string(), at: At });
export type Transition = z.infer<typeof Transition>;
export type NewVersion = Omit<Version, 'version' | 'status' | 'registeredAt'>;

const COLUMNS = `model, version, run, status, package_digest as "packageDigest", manifest, commit, snapshot, training_digest as "trainingDigest", hyperparameters,
  environment_lock as "environmentLock", metrics, registered_by as by, reason, registered_at as "registeredAt"`;

export function createVersionsStore(db: Database) {
  return {
    /** The version of this run: a repeated call gives the first one. Numbers of a model have no gaps. Throws `model/unknown`. */
    async register(v: NewVersion): Promise<{ version: number; created: boolean; record: Version }> {
      return db.transaction(async (tx) => {
        const [model] = await tx.query<{ next: number }>('select next_version as next from models where name = $1 for update', [v.model]);
        if (!model) throw new PerennialError('model/unknown', `There is no model ${v.model}`, { model: v.model });
        const before = parseFirst(Version, await tx.query(`select ${COLUMNS} from versions where run = $1`, [v.run]));
        if (before) return { version: before.version, created: false, record: before };
        await tx.query('update models set next_version = next_version + 1 where name = $1', [v.model]);
        const rows = await tx.query(
          `insert into versions (model, version, run, package_digest, manifest, commit, snapshot, training_digest, hyperparameters, environment_lock, metrics, registered_by, reason)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning ${COLUMNS}`,
          [v.model, model.next, v.run, v.packageDigest, json(v.manifest), v.commit, v.snapshot, v.trainingDigest, json(v.hyperparameters), json(v.environmentLock), json(v.metrics), v.by, v.reason]);
        await tx.query(
          `insert into version_transitions (model, version, event_id, from_status, to_status, by, why) values ($1, $2, $3, null, 'registered', $4, $5)`,
          [v.model, model.next, `register/${v.run}`, v.by, v.reason]);
        return { version: model.next, created: true, record: Version.parse(rows[0]) };
      });
    },

    async get(model: string, version: number): Promise<Version | null> {
      return parseFirst(Version, await db.query(`select ${COLUMNS} from versions where model = $1 and version = $2`, [model, version]));
    },

    /** Newest first. */
    async list(model: string): Promise<Version[]> {
      return parseRows(Version, await db.query(`select ${COLUMNS} from versions where model = $1 order by version desc`, [model]));
    },

    /**
     * Moves a version to another status (see `VERSION_TRANSITIONS`) once for each eventId; a repeated one changes nothing, even where the version
     * has moved on since. Gives the status now. Throws `version/unknown`, and `release/quarantined` or `request/invalid` for a move that is not allowed.
     */
    async transition({ model, version, to, by, why, eventId }: { model: string; version: number; to: VersionStatus; by: string; why: string; eventId: string }): Promise<{ status: VersionStatus; changed: boolean }> {
      return db.transaction(async (tx) => {
        const rows = await tx.query('select status from versions where model = $1 and version = $2 for update', [model, version]);
        const from = parseFirst(z.object({ status: Status }), rows)?.status;
        if (from === undefined) throw new PerennialError('version/unknown', `There is no version ${model}@${version}`, { model, version });
        const repeated = await tx.query('select 1 from version_transitions where model = $1 and version = $2 and event_id = $3', [model, version, eventId]);
        if (repeated.length > 0 || from === to) return { status: from, changed: false };
        if (!mayTransition(from, to)) {
          throw new PerennialError(from === 'quarantined' ? 'release/quarantined' : 'request/invalid', `${model}@${version} is ${from} and cannot become ${to}`, { model, version, from, to });
        }
        await tx.query('update versions set status = $3 where model = $1 and version = $2', [model, version, to]);
        await tx.query('insert into version_transitions (model, version, event_id, from_status, to_status, by, why) values ($1, $2, $3, $4, $5, $6, $7)', [model, version, eventId, from, to, by, why]);
        return { status: to, changed: true };
      });
    },

    /** Oldest first. */
    async transitions(model: string, version: number): Promise<Transition[]> {
      return parseRows(Transition, await db.query('select event_id as "eventId", from_status as "from", to_status as "to", by, why, at from version_transitions where model = $1 and version = $2 order by seq', [model, version]));
    },
  };
}
export type VersionsStore = ReturnType<typeof createVersionsStore>;
