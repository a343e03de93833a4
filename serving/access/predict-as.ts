import { roundedAnswer } from '../../domain/outputs.js';
import type { ExplanationsTo } from '../../stores/models.js';
import type { Caller } from '../auth.js';
import { roundedExplanation } from '../explain/answer.js';
import type { Predict, Prediction } from '../predict.js';
import type { ReadRequest } from '../protocol/request.js';
import type { Which } from '../routing/model-host.js';
import type { KeyLimits, Taken } from './key-limits.js';
import { requireMayExplain } from './may-explain.js';

export interface PredictAsOptions {
  readonly predict: Predict;
  readonly limits: Pick<KeyLimits, 'take'>;
  readonly decimalsOf: (model: string) => number | null;
  readonly explanationsOf: (model: string) => ExplanationsTo | null;
  readonly onGiven: (key: string, rows: number) => void;
}

/** A prediction for somebody: within the limits of their key, and rounded as the model's policy says, where they came with one. */
export function createPredictAs({ predict, limits, decimalsOf, explanationsOf, onGiven }: PredictAsOptions) {
  return async ({ key, principal }: Caller, model: string, which: Which, read: ReadRequest, traceId: string | null = null): Promise<Prediction> => {
    const readAllowed: ReadRequest = (signature, maximumRows) => {
      const request = read(signature, maximumRows);
      requireMayExplain(request, model, key, explanationsOf(model));
      return request;
    };
    if (key === null) return predict(model, which, readAllowed, traceId, principal);
    const taken: Taken[] = [];
    try {
      const prediction = await predict(model, which, (signature, maximumRows) => {
        const request = readAllowed(signature, maximumRows);
        // Rows of inputs that do not agree are refused later, so the largest is what the request may get.
        if (taken.length === 0) taken.push(limits.take(key, Math.max(1, ...request.inputs.map(({ shape }) => shape[0] ?? 1))));
        return request;
      }, traceId, principal);
      // The rows that the network computed for the explanations: hundreds for one row that is asked.
      const more = prediction.explanation?.head.evaluations ?? 0;
      for (const one of taken) one.given(more);
      onGiven(key.name, prediction.answers.length);
      const decimals = decimalsOf(model);
      if (decimals === null) return prediction;
      const { answers, explanation } = prediction;
      return { ...prediction, answers: answers.map((answer) => roundedAnswer(answer, decimals)), explanation: explanation ? roundedExplanation(explanation, decimals) : null };
    } catch (error) {
      for (const one of taken) one.giveBack();
      throw error;
    }
  };
}
export type PredictAs = ReturnType<typeof createPredictAs>;
