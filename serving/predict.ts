import { v7 as uuidv7 } from 'uuid';
import type { Signature } from '../contract/package.js';
import { answersOf } from '../domain/outputs.js';
import type { Pseudonyms } from '../runtime/personal/pseudonyms.js';
import type { FeatureLookup } from './features/lookup.js';
import type { PredictionLog } from './log/prediction-log.js';
import { planesOf } from './log/record.js';
import type { Metrics } from './metrics.js';
import { attributesOf, timeoutOf, type InferenceRequest } from './protocol/request.js';
import { unpackPictures } from './protocol/pictures.js';
import { outputsWanted, type Answered } from './protocol/response.js';
import { rowsOf } from './protocol/rows.js';
import type { Which } from './routing/model-host.js';
import { findHost } from './routing/find-host.js';
import type { Models } from './routing/models.js';
import { predictOrFailOver } from './runner/fail-over.js';

export interface PredictOptions {
  readonly models: Pick<Models, 'get'>;
  readonly log: Pick<PredictionLog, 'append'>;
  readonly lookUp: FeatureLookup;
  readonly metrics: Pick<Metrics, 'predicted' | 'runner'>;
  readonly environment: string;
  readonly replica: string;
  readonly maximumRows: number;
  /** Of a model whose signature asks for them; null for every other. */
  readonly pseudonymsOf: (model: string) => Pseudonyms | null;
}

/** Attribute of predictions that were made without the values of views which were not up to date: their names. */
export const STALE = 'stale-features';

/** Attribute of predictions that an older version made because the runner of the one that was asked had ended: that one's number. */
export const INSTEAD_OF = 'instead-of';

/** Reads what is asked, once it is known which version answers. Throws ServingError. */
export type ReadRequest = (signature: Signature) => InferenceRequest;

/** An answered inference, for a protocol to put into its own shape. */
export interface Prediction extends Answered {
  readonly request: InferenceRequest;
  readonly signature: Signature;
  /** Names of the outputs that were asked for. */
  readonly wanted: ReadonlySet<string>;
}

/** Answers an inference, whatever protocol it came by: filled in from feature views, checked, computed, logged, then answered. Throws ServingError. */
export function createPredict({ models, log, lookUp, metrics, environment, replica, maximumRows, pseudonymsOf }: PredictOptions) {
  return async (model: string, which: Which, read: ReadRequest): Promise<Prediction> => {
    const startedAt = performance.now();
    const choice = findHost(models, model).choose(which);
    const { served, route } = choice;
    const { request: filled, stale } = await lookUp(read(served.signature), served.signature, maximumRows);
    const request = await unpackPictures(filled, served.signature, maximumRows);
    const said = { ...attributesOf(request), ...(stale.length > 0 ? { [STALE]: stale.join(' ').slice(0, 256) } : {}) };
    const wanted = outputsWanted(request, served.signature);
    const rows = rowsOf(request, served.signature, maximumRows, pseudonymsOf(model));

    const { outputs: flat, arm } = await predictOrFailOver(choice, rows, { deadlineMs: timeoutOf(request) });

    if (arm !== choice.arm) metrics.runner(model, choice.arm.version, 'failed-over');
    const attributes = arm === choice.arm ? said : { ...said, [INSTEAD_OF]: String(choice.arm.version) };
    const answers = answersOf(served.signature, flat);
    const ids = answers.map(() => uuidv7());
    const id = request.id ?? uuidv7();
    const latencyMs = performance.now() - startedAt;
    await log.append({
      ids, requestId: id, model, version: arm.version, environment, role: arm.role, generation: route.generation, replica, at: new Date().toISOString(),
      inputShape: [...rows.shape], attributes, ...planesOf(answers), latencyMs, ...(rows.datatype === 'CELLS' ? { input: Buffer.concat(rows.logged), inputBytes: rows.logged.map(({ byteLength }) => byteLength) } : { input: rows.input }),
    });
    metrics.predicted(model, arm.version, latencyMs);
    return { model, version: arm.version, generation: route.generation, arm: arm.role, id, predictionIds: ids, answers, stale, request, signature: served.signature, wanted };
  };
}
export type Predict = ReturnType<typeof createPredict>;
