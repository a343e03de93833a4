import type { z } from 'zod';
import { ERRORS } from '../contract/errors.js';
import { Experiment, Trial } from '../contract/experiment.js';
import type { ExperimentPlan, ExperimentStatus, TrialProgress } from '../contract/experiment.js';
import { Ref } from '../contract/ref.js';
import type { RunError } from '../contract/run.js';
import { ModelDefinition } from '../definition/model.js';
import type { Database } from './database.js';
import { At, json, jsonOrNull, parseFirst, parseRows } from './values.js';

/** With what its commit says; null until that was read. */
export const StoredExperiment = Experiment.extend({ definition: ModelDefinition.nullable(), networkBundle: Ref.nullable(), startedAt: At, endedAt: At.nullable() });
export type StoredExperiment = z.infer<typeof StoredExperiment>;
const StoredTrial = Trial.extend({ startedAt: At, endedAt: At.nullable() });

const COLUMNS = 'id, model, commit, branch, by, plan, metric, definition, network_bundle as "networkBundle", snapshot, status, stopped, error, started_at as "startedAt", ended_at as "endedAt"';
const TRIAL = 'trial, combination, parameters, fold, status, progress, figures, rows, error, started_at as "startedAt", ended_at as "endedAt"';

export interface NewExperiment { readonly id: string; readonly model: string; readonly commit: string; readonly branch: string; readonly by: string; readonly plan: ExperimentPlan }
export type TrialKey = Pick<Trial, 'trial'> & { readonly experiment: string };

export function createExperimentsStore(db: Database) {
  return {
    /** A repeated call changes nothing. */
    async create({ id, model, commit, branch, by, plan }: NewExperiment): Promise<void> {
      await db.query('insert into experiments (id, model, commit, branch, by, plan) values ($1, $2, $3, $4, $5, $6) on conflict do nothing', [id, model, commit, branch, by, json(plan)]);
    },

    async get(id: string): Promise<StoredExperiment | null> {
      return parseFirst(StoredExperiment, await db.query(`select ${COLUMNS} from experiments where id = $1`, [id]));
    },

    /** Newest first. */
    async listFor(model: string, limit = 50): Promise<StoredExperiment[]> {
      return parseRows(StoredExperiment, await db.query(`select ${COLUMNS} from experiments where model = $1 order by started_at desc limit $2`, [model, limit]));
    },

    /** What its commit says, which rows it is about, and which figure decides. The first time counts: trials of one experiment are of the same rows. */
    async prepare(id: string, { definition, networkBundle, snapshot, metric }: { definition: ModelDefinition; networkBundle: Ref | null; snapshot: string; metric: string }): Promise<void> {
      await db.query('update experiments set definition = $2, network_bundle = $3, snapshot = $4, metric = $5 where id = $1 and ended_at is null and snapshot is null', [id, json(definition), jsonOrNull(networkBundle), snapshot, metric]);
    },

    /** The first end wins; a trial that is still open ended with it. */
    async end(id: string, { status, stopped = null, error = null }: { status: Exclude<ExperimentStatus, 'running'>; stopped?: string | null; error?: RunError | null }): Promise<void> {
      await db.transaction(async (tx) => {
        const ended = await tx.query('update experiments set status = $2, stopped = $3, error = $4, ended_at = now() where id = $1 and ended_at is null returning id', [id, status, stopped, jsonOrNull(error)]);
        if (ended.length === 0) return;
        const left: RunError = { code: 'experiment/ended', message: 'the experiment ended before this training did', next: ERRORS['experiment/ended'].next };
        await tx.query(`update experiment_trials set status = 'failed', error = $2, ended_at = now() where experiment = $1 and ended_at is null`, [id, json(left)]);
      });
    },

    /** A trial that is begun again keeps its row. */
    async beginTrial(experiment: string, { trial, combination, parameters, fold }: Pick<Trial, 'trial' | 'combination' | 'parameters' | 'fold'>): Promise<void> {
      await db.query('insert into experiment_trials (experiment, trial, combination, parameters, fold) values ($1, $2, $3, $4, $5) on conflict do nothing', [experiment, trial, combination, json(parameters), fold]);
    },

    async getTrial({ experiment, trial }: TrialKey): Promise<Trial | null> {
      return parseFirst(StoredTrial, await db.query(`select ${TRIAL} from experiment_trials where experiment = $1 and trial = $2`, [experiment, trial]));
    },

    async trials(experiment: string): Promise<Trial[]> {
      return parseRows(StoredTrial, await db.query(`select ${TRIAL} from experiment_trials where experiment = $1 order by trial`, [experiment]));
    },

    /** Where a trial is that runs. */
    async setProgress({ experiment, trial }: TrialKey, progress: TrialProgress): Promise<void> {
      await db.query('update experiment_trials set progress = $3 where experiment = $1 and trial = $2 and ended_at is null', [experiment, trial, json(progress)]);
    },

    /** The first end wins. */
    async finishTrial({ experiment, trial }: TrialKey, { figures, rows }: Pick<Trial, 'figures' | 'rows'>): Promise<void> {
      await db.query(`update experiment_trials set status = 'done', figures = $3, rows = $4, ended_at = now() where experiment = $1 and trial = $2 and ended_at is null`, [experiment, trial, json(figures), rows]);
    },

    async failTrial({ experiment, trial }: TrialKey, error: RunError): Promise<void> {
      await db.query(`update experiment_trials set status = 'failed', error = $3, ended_at = now() where experiment = $1 and trial = $2 and ended_at is null`, [experiment, trial, json(error)]);
    },
  };
}
export type ExperimentsStore = ReturnType<typeof createExperimentsStore>;
