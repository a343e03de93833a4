import { z } from 'zod';
import type { Database } from './database.js';
import { At, parseRows } from './values.js';

/** Why a replica could not take up a route. `version` null: the failure concerns the whole route. */
export const ReplicaFailure = z.object({
  replica: z.string(), environment: z.string(), model: z.string(), generation: z.int(), version: z.int().nullable(), code: z.string(), message: z.string(), at: At,
});
export type ReplicaFailure = z.infer<typeof ReplicaFailure>;

export function createReplicaFailuresStore(db: Database) {
  return {
    /** One row for each replica and generation; a later failure of the same replaces its message. */
    async record(failure: Omit<ReplicaFailure, 'at'>): Promise<void> {
      await db.query(
        `insert into replica_failures (replica, environment, model, generation, version, code, message) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (environment, model, generation, replica) do update set version = excluded.version, code = excluded.code, message = excluded.message, at = now()`,
        [failure.replica, failure.environment, failure.model, failure.generation, failure.version, failure.code, failure.message]);
    },

    /** The replica serves this generation after all. */
    async clear({ replica, environment, model, generation }: Pick<ReplicaFailure, 'replica' | 'environment' | 'model' | 'generation'>): Promise<void> {
      await db.query('delete from replica_failures where environment = $1 and model = $2 and generation = $3 and replica = $4', [environment, model, generation, replica]);
    },

    async list(environment: string, model: string, generation: number): Promise<ReplicaFailure[]> {
      return parseRows(ReplicaFailure, await db.query(
        'select replica, environment, model, generation, version, code, message, at from replica_failures where environment = $1 and model = $2 and generation = $3 order by replica', [environment, model, generation]));
    },
  };
}
export type ReplicaFailuresStore = ReturnType<typeof createReplicaFailuresStore>;
