import { ActivityFailure, ApplicationFailure, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { WorkflowFailedError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import type { z } from 'zod';
import type { Decision } from '../contract/decision.js';
import { PerennialError } from '../contract/errors.js';
import { QUEUES, SIGNALS, UPDATES, workflowId } from '../contract/names.js';
import type { ExperimentPlan } from '../contract/experiment.js';
import { RunError } from '../contract/run.js';
import type { CancelRequest, PauseRequest, ReleaseRequest, ResumeRequest, RollbackRequest, RouteChanged, TrainRequest } from '../contract/signals.js';
import { digestOf } from '../domain/digest.js';
import { isTemporalAway } from './http/errors.js';
import { CALL_MS, within } from './within.js';

/** What the environment workflow is told, by signal name. */
export interface EnvironmentSignals {
  release: z.input<typeof ReleaseRequest>;
  rollback: z.input<typeof RollbackRequest>;
  resume: z.input<typeof ResumeRequest>;
  pause: z.input<typeof PauseRequest>;
  routeChanged: z.input<typeof RouteChanged>;
}

/** The workflows as the gateway reaches them. Every call ends within {@link CALL_MS}: temporal/unavailable when the server is away. */
export interface Workflows {
  /** Safe to repeat: an intake that runs is left alone. */
  startIntake(intake: { repository: string; commit: string; branch: string; via: 'hook' | 'local' | 'poll' }): Promise<void>;
  /** Tells the model's governor, which is started where it does not run. */
  train(model: string, request: z.input<typeof TrainRequest>): Promise<void>;
  /** Tells the model's environment workflow, which is started where it does not run. */
  tellEnvironment<S extends keyof EnvironmentSignals>(model: string, environment: string, signal: S, request: EnvironmentSignals[S]): Promise<void>;
  /** False when the run's workflow has ended. */
  cancel(model: string, run: string, request: z.input<typeof CancelRequest>): Promise<boolean>;
  /** `ticket`: the workflow has it. `queued`: Temporal keeps it until a worker is back. `ended`: there is nobody to decide for. */
  decide(model: string, run: string, decision: Decision): Promise<{ state: 'ticket'; ticket: string } | { state: 'queued' } | { state: 'ended' }>;
  /** Runs a monitor check now. */
  startCheck(model: string, environment: string, id: string): Promise<string>;
  /** The same job again is left alone. */
  startScore(model: string, score: { job: string; version: number; input: string; by: string }): Promise<void>;
  /** The same reproduction again is left alone. */
  startReproduction(reproduction: { model: string; version: number; id: string; by: string; tolerance: number | null }): Promise<void>;
  /** The same erasure again is searched for again where that had failed. */
  startErasure(erasure: { model: string; id: string }): Promise<void>;
  /** The same materialisation again is left alone. */
  startMaterialisation(materialisation: { view: string; id: string; full: boolean }): Promise<void>;
  /** Why a materialisation's workflow ended without a word of its own; null while it runs, when it is done, and where there is none. */
  materialisationFailure(view: string, id: string): Promise<RunError | null>;
  /** Why the search for an erased row ended without its result; null while it runs. */
  erasureFailure(model: string, id: string): Promise<RunError | null>;
  /** The same experiment again is left alone. */
  startExperiment(experiment: { model: string; id: string; commit: string; branch: string; by: string; plan: ExperimentPlan }): Promise<void>;
  /** False when it has ended. */
  cancelExperiment(model: string, id: string): Promise<boolean>;
  /** Why a scoring job ended without its result; null while it runs, when it is done, and where there is none. */
  scoreFailure(model: string, job: string): Promise<RunError | null>;
  /** Why a reproduction's workflow ended without a word of its own; null while it runs, when it is done, and where there is none. */
  reproductionFailure(model: string, version: number, id: string): Promise<RunError | null>;
  isReachable(ms: number): Promise<boolean>;
}

/** Time left for a worker to accept an Update before the decision is left as a Signal. */
const ACCEPT_MS = 2_500;

/** The registry's error that an activity failed with, else what Temporal says of the workflow's end. */
function failureOf({ cause, message }: WorkflowFailedError): RunError {
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  const known = RunError.safeParse(failure instanceof ApplicationFailure ? failure.details?.[0] : undefined);
  return known.success ? known.data : { code: 'unexpected', message: failure?.message ?? message, next: 'See the logs of the workers; `perennial status` says where it is.' };
}

export function createWorkflows(client: Client): Workflows {
  const ask = async <T>(work: () => Promise<T>, ms = CALL_MS): Promise<T> => {
    try {
      return await within(client.withDeadline(Date.now() + ms, work), 'temporal/unavailable', ms);
    } catch (error) {
      if (isTemporalAway(error)) throw new PerennialError('temporal/unavailable', `Temporal did not answer within ${ms / 1000} s`, {}, { cause: error });
      throw error;
    }
  };
  const tell = (type: string, id: string, argument: unknown, signal: string, payload: unknown) =>
    ask(() => client.workflow.signalWithStart(type, { workflowId: id, taskQueue: QUEUES.lifecycle, args: [argument], signal, signalArgs: [payload] }));

  const endOf = async (id: string): Promise<RunError | null> => {
    const handle = client.workflow.getHandle(id);
    try {
      const { status } = await ask(() => handle.describe());
      if (status.name === 'RUNNING' || status.name === 'COMPLETED') return null;
      await ask(() => handle.result());
      return null;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      if (!(error instanceof WorkflowFailedError)) throw error;
      return failureOf(error);
    }
  };

  return {
    async startIntake({ repository, commit, branch, via }) {
      await ask(() => client.workflow.start('intake', {
        workflowId: workflowId.intake(repository, commit), taskQueue: QUEUES.lifecycle, args: [{ v: 1, repository, commit, branch, via }],
        workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }));
    },
    async train(model, request) {
      await tell('governor', workflowId.governor(model), { v: 1, model }, SIGNALS.train, request);
    },
    async tellEnvironment(model, environment, signal, request) {
      await tell('environment', workflowId.environment(model, environment), { v: 1, model, environment }, SIGNALS[signal], request);
    },
    async cancel(model, run, request) {
      try {
        await ask(() => client.workflow.getHandle(workflowId.lifecycle(model, run)).signal(SIGNALS.cancel, request));
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async decide(model, run, decision) {
      const handle = client.workflow.getHandle(workflowId.lifecycle(model, run));
      try {
        const { ticket } = await ask(() => handle.executeUpdate<{ ticket: string }, [Decision]>(UPDATES.decide, { args: [decision], updateId: `decide-${digestOf(decision)}` }), ACCEPT_MS);
        return { state: 'ticket', ticket };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { state: 'ended' };
        if (!isTemporalAway(error) && !(error instanceof WorkflowUpdateFailedError)) throw error;
      }
      try {
        await ask(() => handle.signal(SIGNALS.decide, decision), CALL_MS - ACCEPT_MS); // no worker took the Update: the Signal waits for one
        return { state: 'queued' };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { state: 'ended' };
        throw error;
      }
    },
    async startCheck(model, environment, id) {
      const checkId = `${workflowId.monitor(model, environment)}/now-${id}`;
      await ask(() => client.workflow.start('monitorCheck', { workflowId: checkId, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, environment }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE' }));
      return checkId;
    },
    async startScore(model, score) {
      await ask(() => client.workflow.start('batchScore', { workflowId: workflowId.score(model, score.job), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, ...score }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }));
    },
    async startReproduction({ model, version, id, by, tolerance }) {
      await ask(() => client.workflow.start('reproduction', { workflowId: workflowId.reproduction(model, version, id), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, version, id, by, tolerance }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE' })).catch((error: unknown) => { if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; });
    },
    async startErasure({ model, id }) {
      await ask(() => client.workflow.start('erasure', { workflowId: workflowId.erasure(model, id), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, id }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE' }));
    },
    async startMaterialisation({ view, id, full }) {
      await ask(() => client.workflow.start('materialise', { workflowId: `${workflowId.materialise(view)}/${id}`, taskQueue: QUEUES.lifecycle, args: [{ v: 1, view, id, full }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE' })).catch((error: unknown) => { if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; });
    },
    materialisationFailure: (view, id) => endOf(`${workflowId.materialise(view)}/${id}`),
    erasureFailure: (model, id) => endOf(workflowId.erasure(model, id)),
    async startExperiment({ model, id, ...experiment }) {
      await ask(() => client.workflow.start('experiment', { workflowId: workflowId.experiment(model, id), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, id, ...experiment }], workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE' })).catch((error: unknown) => { if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error; });
    },
    async cancelExperiment(model, id) {
      try {
        await ask(() => client.workflow.getHandle(workflowId.experiment(model, id)).cancel());
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    scoreFailure: (model, job) => endOf(workflowId.score(model, job)),
    reproductionFailure: (model, version, id) => endOf(workflowId.reproduction(model, version, id)),
    async isReachable(ms) {
      try {
        await ask(() => client.connection.workflowService.getSystemInfo({}), ms);
        return true;
      } catch (error) {
        if (isTemporalAway(error)) return false;
        throw error;
      }
    },
  };
}
