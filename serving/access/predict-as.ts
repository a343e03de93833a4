import { roundedAnswer } from '../../domain/outputs.js';
import type { Caller } from '../auth.js';
import type { Predict, Prediction } from '../predict.js';
import type { ReadRequest } from '../protocol/request.js';
import type { Which } from '../routing/model-host.js';
import type { KeyLimits, Taken } from './key-limits.js';

export interface PredictAsOptions {
  readonly predict: Predict;
  readonly limits: Pick<KeyLimits, 'take'>;
  readonly decimalsOf: (model: string) => number | null;
  readonly onGiven: (key: string, rows: number) => void;
}

/** A prediction for somebody: within the limits of their key, and rounded as the model's policy says, where they came with one. */
export function createPredictAs({ predict, limits, decimalsOf, onGiven }: PredictAsOptions) {
  return async ({ key, principal }: Caller, model: string, which: Which, read: ReadRequest, traceId: string | null = null): Promise<Prediction> => {
    if (key === null) return predict(model, which, read, traceId, principal);
    const taken: Taken[] = [];
    try {
      const prediction = await predict(model, which, (signature, maximumRows) => {
        const request = read(signature, maximumRows);
        // Rows of inputs that do not agree are refused later, so the largest is what the request may get.
        if (taken.length === 0) taken.push(limits.take(key, Math.max(1, ...request.inputs.map(({ shape }) => shape[0] ?? 1))));
        return request;
      }, traceId, principal);
      for (const one of taken) one.given();
      onGiven(key.name, prediction.answers.length);
      const decimals = decimalsOf(model);
      return decimals === null ? prediction : { ...prediction, answers: prediction.answers.map((answer) => roundedAnswer(answer, decimals)) };
    } catch (error) {
      for (const one of taken) one.giveBack();
      throw error;
    }
  };
}
export type PredictAs = ReturnType<typeof createPredictAs>;
