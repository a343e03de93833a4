import { v7 as uuidv7 } from 'uuid';
import type { Signature } from '../contract/package.js';
import { answersOf } from '../domain/outputs.js';
import type { Pseudonyms } from '../runtime/personal/pseudonyms.js';
import type { LogPolicy } from '../stores/models.js';
import { asServingError, ServingError } from './errors.js';
import { explainCounted } from './explain/explain.js';
import { keptExplanations } from './explain/kept.js';
import { EXPLAINED_ROWS, explainTaskOf } from './explain/options.js';
import type { Guards } from './guard/guards.js';
import type { FeatureLookup } from './features/lookup.js';
import type { PredictionLog } from './log/prediction-log.js';
import { keptGuarded, keptTrigger } from './log/kept-guarded.js';
import { keptInputs } from './log/kept-inputs.js';
import { keptOutputs } from './log/kept-outputs.js';
import type { Metrics } from './metrics.js';
import { attributesOf, timeoutOf, type InferenceRequest, type ReadRequest } from './protocol/request.js';
import { unpackPictures } from './protocol/pictures.js';
import { outputsWanted, type Answered } from './protocol/response.js';
import { refuseNoNumbers } from './runner/no-numbers.js';
import { rowsOf } from './protocol/rows.js';
import type { Choice, Which } from './routing/model-host.js';
import { findHost } from './routing/find-host.js';
import type { Models } from './routing/models.js';
import { predictOrFailOver } from './runner/fail-over.js';

export interface PredictOptions {
  readonly models: Pick<Models, 'get'>;
  readonly log: Pick<PredictionLog, 'append'>;
  readonly lookUp: FeatureLookup;
  readonly metrics: Pick<Metrics, 'predicted' | 'runner' | 'explained'>;
  readonly environment: string;
  readonly replica: string;
  readonly maximumRows: number;
  /** What the log may keep of a model's predictions. */
  readonly logPolicyOf: (model: string) => LogPolicy;
  readonly guards: Guards;
  /** Of a model whose signature asks for them; null for every other. */
  readonly pseudonymsOf: (model: string) => Pseudonyms | null;
}

/** Attribute of predictions that were made without the values of views which were not up to date: their names. */
export const STALE = 'stale-features';

/** Attribute of predictions that an older version made because the runner of the one that was asked had ended: that one's number. */
export const INSTEAD_OF = 'instead-of';

/** An answered inference, for a protocol to put into its own shape. */
export interface Prediction extends Answered {
  readonly request: InferenceRequest;
  readonly signature: Signature;
  /** Names of the outputs that were asked for. */
  readonly wanted: ReadonlySet<string>;
}

/** Answers an inference, whatever protocol it came by: filled in from feature views, checked, computed, logged, then answered. Throws ServingError. */
export function createPredict({ models, log, lookUp, metrics, environment, replica, maximumRows, logPolicyOf, guards, pseudonymsOf }: PredictOptions) {
  return async (model: string, which: Which, read: ReadRequest, traceId: string | null, caller: string): Promise<Prediction> => {
    const startedAt = performance.now();
    const choice = findHost(models, model).choose(which);
    const { signature } = choice.served;
    let request: InferenceRequest | null = null;
    const readOnce: ReadRequest = () => (request = read(signature, maximumRows));
    try {
      return await answer(model, choice, readOnce, { traceId, caller }, startedAt);
    } catch (error) {
      throw refusalOf(error, model, choice, request, logPolicyOf(model));
    }
  };

  async function answer(model: string, choice: Choice, read: ReadRequest, { traceId, caller }: { traceId: string | null; caller: string }, startedAt: number): Promise<Prediction> {
    const { served, route } = choice;
    const { request: filled, stale } = await lookUp(read(served.signature, maximumRows), served.signature, maximumRows);
    const request = await unpackPictures(filled, served.signature, maximumRows);
    const said = { ...attributesOf(request), ...(stale.length > 0 ? { [STALE]: stale.join(' ').slice(0, 256) } : {}) };
    const wanted = outputsWanted(request, served.signature);
    const rows = rowsOf(request, served.signature, maximumRows, pseudonymsOf(model));
    const task = explainTaskOf(request.parameters?.explain, served.signature);
    if (task && rows.count > EXPLAINED_ROWS) throw new ServingError(413, `A request that is explained may hold ${EXPLAINED_ROWS} rows; this one has ${rows.count}.`);

    const found = guards.inputs(model, served, rows);

    const preparedAt = performance.now();
    const deadlineMs = timeoutOf(request);
    const { outputs: flat, arm } = await predictOrFailOver(choice, rows, { deadlineMs });
    const previous = arm === choice.arm ? choice.standIn : null;
    const { answers, guarded } = await guards.judge({ model, served, rows, found, answers: answersOf(served.signature, flat), previous, deadlineMs: deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - (performance.now() - preparedAt)) });
    refuseNoNumbers(answers);
    const answeredAt = performance.now();

    if (arm !== choice.arm) metrics.runner(model, choice.arm.version, 'failed-over');
    const attributes = arm === choice.arm ? said : { ...said, [INSTEAD_OF]: String(choice.arm.version) };
    const replaced = guarded.find(({ instead }) => instead !== undefined);
    if (task && replaced) throw new ServingError(422, `Parameter "explain": a guardrail answers row ${replaced.row} instead of the model, whose own answer is not explained.`);
    const by = arm === choice.arm ? served : choice.standIn?.served ?? served;
    const explanation = task && await explainCounted(by, rows, { model, version: arm.version, task, deadlineMs, spentMs: answeredAt - startedAt, metrics });
    const ids = answers.map(() => uuidv7());
    const id = request.id ?? uuidv7();
    const latencyMs = answeredAt - startedAt;
    const latencyParts = { prepareMs: preparedAt - startedAt, modelMs: answeredAt - preparedAt };
    const policy = logPolicyOf(model);
    await log.append({
      ids, requestId: id, model, version: arm.version, environment, role: arm.role, generation: route.generation, replica, at: new Date().toISOString(),
      inputShape: [...rows.shape], attributes, ...keptOutputs(policy, answers, id), latencyMs, latencyParts, caller, ...(traceId === null ? {} : { traceId }), ...keptInputs(policy, served.signature, rows, id), ...(guarded.length === 0 ? {} : { guarded: keptGuarded(policy, guarded, id) }),
      ...(explanation ? { explanations: keptExplanations(policy, explanation, served.signature, id) } : {}),
    }, policy.whenFull);
    metrics.predicted(model, arm.version, latencyMs);
    return { model, version: arm.version, generation: route.generation, arm: arm.role, id, predictionIds: ids, answers, stale, guarded, explanation, request, signature: served.signature, wanted };
  }
}
export type Predict = ReturnType<typeof createPredict>;

/** The error as its answer's, with what the prediction log says of the request: errors may be shared by the requests of a batch. */
function refusalOf(error: unknown, model: string, { served, arm, route }: Choice, request: InferenceRequest | null, policy: LogPolicy): ServingError {
  const { share, redact } = policy.inputs;
  const { status, message, retryAfter, cause, guardrails } = asServingError(error);
  // What does not fit is told with its value, which may be one that the log must not hold.
  const isPrivate = status === 422 && (share < 1 || redact.length > 0 || served.signature.inputs.some(({ personal }) => personal !== undefined));
  return new ServingError(status, message, {
    retryAfter, cause, guardrails: guardrails?.map((trigger) => keptTrigger(policy, trigger)),
    asked: { model, version: arm.version, role: arm.role, generation: route.generation, requestId: request?.id ?? null, rows: request?.inputs[0]?.shape[0] ?? null, isPrivate },
  });
}
