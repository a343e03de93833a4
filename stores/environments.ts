import { z } from 'zod';
import { EnvironmentPolicy } from '../contract/policy.js';
import type { Database } from './database.js';
import { createLedgerStore, ledgerChain } from './ledger.js';
import { At, json, parseFirst, parseRows } from './values.js';

export const Environment = z.object({ name: z.string(), policy: EnvironmentPolicy, policyVersion: z.int(), createdAt: At });
export type Environment = z.infer<typeof Environment>;
/** A model in an environment. While `paused`, nothing is released there. */
export const EnvironmentModel = z.object({ environment: z.string(), model: z.string(), paused: z.boolean(), reason: z.string().nullable(), by: z.string().nullable(), liveVersion: z.int().nullable() });
export type EnvironmentModel = z.infer<typeof EnvironmentModel>;

/** Environments that every installation has. */
export const FIRST_ENVIRONMENTS = ['test', 'production'] as const;

const COLUMNS = 'name, policy, policy_version as "policyVersion", created_at as "createdAt"';
const MODEL = 'environment, model, paused, paused_reason as reason, paused_by as by, live_version as "liveVersion"';

export function createEnvironmentsStore(db: Database) {
  async function state(environment: string, model: string): Promise<EnvironmentModel | null> {
    return parseFirst(EnvironmentModel, await db.query(`select ${MODEL} from environment_models where environment = $1 and model = $2`, [environment, model]));
  }

  return {
    async list(): Promise<Environment[]> {
      return parseRows(Environment, await db.query(`select ${COLUMNS} from environments order by name`));
    },

    async get(name: string): Promise<Environment | null> {
      return parseFirst(Environment, await db.query(`select ${COLUMNS} from environments where name = $1`, [name]));
    },

    /** Adds the environment with the default policy, unless it is there. */
    async ensure(name: string): Promise<void> {
      await db.query('insert into environments (name, policy) values ($1, $2) on conflict do nothing', [name, json(EnvironmentPolicy.parse({ v: 1 }))]);
    },

    /** Puts a policy into force and writes it to the ledger, chain `<*>/<environment>`. The present one again changes nothing. */
    async setPolicy(name: string, policy: z.input<typeof EnvironmentPolicy>, by: string): Promise<Environment> {
      const wanted = json(EnvironmentPolicy.parse(policy));
      return db.transaction(async (tx) => {
        await tx.query('insert into environments (name, policy, policy_version) values ($1, $2, 0) on conflict do nothing', [name, wanted]);
        const changed = parseFirst(Environment, await tx.query(
          `update environments set policy = $2, policy_version = policy_version + 1 where name = $1 and (policy <> $2::jsonb or policy_version = 0) returning ${COLUMNS}`,
          [name, wanted]));
        if (!changed) {
          const [present] = await tx.query(`select ${COLUMNS} from environments where name = $1`, [name]);
          return Environment.parse(present);
        }
        await createLedgerStore(tx).append({
          chain: ledgerChain('*', name), eventId: `policy/${changed.policyVersion}`, actor: by, action: 'environment.policy',
          subject: { environment: name, policyVersion: changed.policyVersion, policy: changed.policy }, at: new Date().toISOString(),
        });
        return changed;
      });
    },

    /** Stops releases of a model in an environment, or lets them go on. */
    async setPaused(environment: string, model: string, paused: boolean, { reason, by }: { reason: string; by: string }): Promise<void> {
      await db.query(
        `insert into environment_models (environment, model, paused, paused_reason, paused_by) values ($1, $2, $3, $4, $5)
         on conflict (environment, model) do update set paused = excluded.paused, paused_reason = excluded.paused_reason, paused_by = excluded.paused_by`,
        [environment, model, paused, paused ? reason : null, paused ? by : null]);
    },

    async isPaused(environment: string, model: string): Promise<boolean> {
      return (await state(environment, model))?.paused ?? false;
    },

    state,

    /** Every model that was ever routed or paused in the environment. */
    async models(environment: string): Promise<EnvironmentModel[]> {
      return parseRows(EnvironmentModel, await db.query(`select ${MODEL} from environment_models where environment = $1 order by model`, [environment]));
    },
  };
}
export type EnvironmentsStore = ReturnType<typeof createEnvironmentsStore>;
