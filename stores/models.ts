import { z } from 'zod';
import { PerennialError } from '../contract/errors.js';
import { Commit, Ref, Sha256 } from '../contract/ref.js';
import { DefinitionAtCommit } from '../contract/run.js';
import { Expectation } from '../definition/expectations.js';
import { Guardrail } from '../definition/guardrails.js';
import { ModelDefinition } from '../definition/model.js';
import { ExplanationsTo } from '../definition/operation.js';
import { PredictionLog as LogPolicy } from '../definition/prediction-log.js';
import type { Database } from './database.js';
import { createIntakesStore } from './intakes.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** What a definition says of the prediction log, and of who gets explanations. */
export { ExplanationsTo, LogPolicy };

/** What a definition says to prediction servers. `decimals`: of what callers with a key get; null: all. `expectations`: for the guardrail that holds requests to them. `explanations`: null where it is not known. */
export const ServingPolicy = z.object({ log: LogPolicy, decimals: z.int().nullable(), guardrails: z.array(Guardrail), expectations: z.array(Expectation).default([]), explanations: ExplanationsTo.nullable().default(null) });
export type ServingPolicy = z.infer<typeof ServingPolicy>;

/** Says the name of a model of which another definition came into force. */
export const POLICIES_CHANNEL = 'policies';

export const Owner = z.object({ name: z.string(), email: z.string() });
/** `current`: the commit whose definition is in force. `applied`: the policy that was last put into force without training. `removed`: the commit that no longer holds its file, which pauses training. */
export const Model = z.object({
  name: z.string(), repository: z.string(), path: z.string(), owner: Owner, purpose: z.string(),
  currentCommit: Commit.nullable(), appliedCommit: Commit.nullable(), appliedPolicy: Sha256.nullable(), removed: z.object({ commit: Commit, at: At }).nullable(), createdAt: At,
});
export type Model = z.infer<typeof Model>;

export const StoredDefinition = DefinitionAtCommit.extend({ definition: ModelDefinition, bundle: Ref, networkBundle: Ref.nullable(), acceptedAt: At });
export type StoredDefinition = z.infer<typeof StoredDefinition>;

const MODEL = `name, repository, path, owner, purpose, current_commit as "currentCommit", applied_commit as "appliedCommit", applied_policy as "appliedPolicy", case when removed_commit is not null then json_build_object('commit', removed_commit, 'at', to_char(removed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end as removed, created_at as "createdAt"`;
const DEFINITION = `d.model, d.repository, d.commit, d.path, d.training_digest as "trainingDigest", d.policy_digest as "policyDigest",
  d.definition, d.bundle, d.network_bundle as "networkBundle", d.accepted_at as "acceptedAt"`;

export function createModelsStore(db: Database) {
  return {
    ...createIntakesStore(db),

    /** Adds the model or brings its description up to date. A name belongs to the repository that used it first: `definition/invalid` for another one. */
    async ensure({ name, repository, path, owner, purpose }: { name: string; repository: string; path: string; owner: z.infer<typeof Owner>; purpose: string }): Promise<Model> {
      const rows = await db.query(
        `insert into models as known (name, repository, path, owner, purpose) values ($1, $2, $3, $4, $5)
         on conflict (name) do update set path = excluded.path, owner = excluded.owner, purpose = excluded.purpose
         where known.repository = excluded.repository returning ${MODEL}`,
        [name, repository, path, json(owner), purpose]);
      const model = parseFirst(Model, rows);
      if (model) return model;
      throw new PerennialError('definition/invalid', `name: the model ${name} belongs to another repository already; choose another name`, { model: name, repository });
    },

    async get(name: string): Promise<Model | null> {
      return parseFirst(Model, await db.query(`select ${MODEL} from models where name = $1`, [name]));
    },

    async list(): Promise<Model[]> {
      return parseRows(Model, await db.query(`select ${MODEL} from models order by name`));
    },

    /** Keeps the definition of a model at a commit; the first one stays. */
    async saveDefinition(d: DefinitionAtCommit & { readonly definition: ModelDefinition; readonly bundle: Ref; readonly networkBundle: Ref | null }): Promise<void> {
      await db.query(
        `insert into definitions (model, repository, commit, path, training_digest, policy_digest, definition, bundle, network_bundle)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (model, commit) do nothing`,
        [d.model, d.repository, d.commit, d.path, d.trainingDigest, d.policyDigest, json(d.definition), json(d.bundle), jsonOrNull(d.networkBundle)]);
    },

    async definition(model: string, commit: string): Promise<StoredDefinition | null> {
      return parseFirst(StoredDefinition, await db.query(`select ${DEFINITION} from definitions d where d.model = $1 and d.commit = $2`, [model, commit]));
    },

    /** The definition in force: the one that `setCurrent` named last. */
    async currentDefinition(model: string): Promise<StoredDefinition | null> {
      return parseFirst(StoredDefinition, await db.query(`select ${DEFINITION} from definitions d join models m on m.name = d.model and m.current_commit = d.commit where m.name = $1`, [model]));
    },

    /** What the definitions in force say to prediction servers; of a model that has none, or says nothing of it, the default. */
    async servingPolicies(): Promise<Record<string, ServingPolicy>> {
      const rows = await db.query<{ name: string; log: unknown; decimals: number | null; guardrails: unknown; expectations: unknown; explanations: string | null }>(
        `select m.name, d.definition->'predictionLog' as log, (d.definition->'serving'->>'decimals')::int as decimals, d.definition->'serving'->'guardrails' as guardrails, case when d.definition->'serving'->'guardrails' @> '[{"kind": "expectation"}]' then d.definition->'data'->'expectations' end as expectations, d.definition->'serving'->>'explanations' as explanations
         from models m left join definitions d on d.model = m.name and d.commit = m.current_commit`);
      return Object.fromEntries(rows.map(({ name, log, decimals, guardrails, expectations, explanations }) => [name, ServingPolicy.parse({ log: log ?? {}, decimals, guardrails: guardrails ?? [], expectations: expectations ?? [], explanations: explanations ?? 'principals' })]));
    },

    /** Puts a saved definition into force in the place of the one at `instead` (null: of none). Returns false, and changes nothing, when another one is in force by now. */
    async setCurrent(model: string, commit: string, { instead }: { instead: string | null }): Promise<boolean> {
      const rows = await db.query(
        `with put as (update models set current_commit = $2 where name = $1 and current_commit is not distinct from $3 returning name)
         select name, pg_notify('${POLICIES_CHANNEL}', name) from put`, [model, commit, instead]);
      return rows.length > 0;
    },

    /** Notes that a commit no longer holds the file of a model whose definition at `current` is in force, or null: that it is there again. Returns whether anything changed. */
    async setRemoved(model: string, commit: string | null, { current }: { current: string | null }): Promise<boolean> {
      const rows = await db.query(
        `update models set removed_commit = $2::text, removed_at = case when $2::text is null then null else now() end
         where name = $1 and current_commit is not distinct from $3 and (removed_commit is null) <> ($2::text is null) returning name`, [model, commit, current]);
      return rows.length > 0;
    },

    async setAppliedPolicy(model: string, commit: string, policyDigest: string): Promise<void> {
      await db.query('update models set applied_commit = $2, applied_policy = $3 where name = $1', [model, commit, policyDigest]);
    },

    async appliedPolicy(model: string): Promise<{ commit: string; policyDigest: string } | null> {
      const [row] = await db.query<{ commit: string; policyDigest: string }>('select applied_commit as commit, applied_policy as "policyDigest" from models where name = $1 and applied_commit is not null', [model]);
      return row ?? null;
    },
  };
}
export type ModelsStore = ReturnType<typeof createModelsStore>;
