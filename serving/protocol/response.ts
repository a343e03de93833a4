import { z } from 'zod';
import { ExplanationParameters } from '../../contract/explanation.js';
import { RowTrigger, type GuardedRow } from '../../contract/guarded.js';
import type { Signature } from '../../contract/package.js';
import { toldTrigger } from '../../domain/guardrails/violation.js';
import type { Answer } from '../../domain/outputs.js';
import type { Explanation } from '../../runtime/runner/start.js';
import { ServingError } from '../errors.js';
import { EXPLANATION, explanationOutput, explanationParameters } from '../explain/answer.js';
import type { InferenceRequest } from './request.js';

export interface Answered {
  readonly model: string; readonly version: number; readonly generation: number; readonly arm: string; readonly id: string;
  readonly predictionIds: readonly string[];
  /** Per row. */
  readonly answers: readonly Answer[];
  /** Feature views whose values are missing because they were not up to date. */
  readonly stale?: readonly string[];
  /** Rows that guardrails found something of. */
  readonly guarded?: readonly GuardedRow[];
  /** Where it was asked for. */
  readonly explanation?: Explanation | null;
}

type Output = { readonly name: string; readonly datatype: 'FP32' | 'FP64' | 'BYTES'; /** Of one row. */ readonly shape: readonly number[] };

/** What a model answers with. */
export function outputsOf(signature: Signature): Output[] {
  if (signature.task === 'regression') return [{ name: 'value', datatype: 'FP64', shape: [] }];
  return [{ name: 'probabilities', datatype: 'FP32', shape: [signature.classes.length] }, { name: 'class', datatype: 'BYTES', shape: [] }];
}

/** Names of the outputs that a request asks for; 422 where the model has no such output. */
export function outputsWanted(request: InferenceRequest, signature: Signature): ReadonlySet<string> {
  const isExplained = (request.parameters?.explain ?? false) !== false;
  const known = [...outputsOf(signature).map(({ name }) => name), ...(isExplained ? [EXPLANATION] : [])];
  const wanted = request.outputs?.map((output) => output.name) ?? known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ServingError(422, `Unknown output "${unknown}". The model gives: ${known.join(', ')}.`);
  return new Set(wanted.length > 0 ? [...wanted, ...(isExplained ? [EXPLANATION] : [])] : known);
}

/** Who answered, and the id of each row's prediction: by them labels are given later. */
export const AnswerParameters = z.object({
  prediction_ids: z.array(z.string()), version: z.int(), generation: z.int(), arm: z.string(),
  stale_features: z.array(z.string()).optional().describe('feature views whose values are missing because they were not up to date'),
  guardrails: z.array(RowTrigger).optional().describe('guardrails that rows met, and what was done'),
  explanation: ExplanationParameters.optional().describe('where it was asked for'),
});

export function answerParameters({ predictionIds, version, generation, arm, stale, guarded = [], explanation }: Answered, signature: Signature): z.infer<typeof AnswerParameters> {
  const guardrails = guarded.flatMap(({ row, triggers }) => triggers.map((trigger) => toldTrigger(row, trigger)));
  return { prediction_ids: [...predictionIds], version, generation, arm, ...(stale?.length ? { stale_features: [...stale] } : {}), ...(guardrails.length > 0 ? { guardrails } : {}), ...(explanation ? { explanation: explanationParameters(explanation, signature) } : {}) };
}

const OutputTensor = z.object({
  name: z.string(), shape: z.array(z.int()), datatype: z.enum(['FP32', 'FP64', 'BYTES']),
  parameters: z.object({ binary_data_size: z.int() }).optional().describe('in an answer with tensors as bytes'),
  data: z.array(z.union([z.number(), z.string()])).optional().describe('flat, row by row; left out where it follows as bytes'),
});
/** Answer of `POST /v2/models/{m}/infer`. */
export const InferenceAnswer = z.object({ model_name: z.string(), model_version: z.string(), id: z.string(), parameters: AnswerParameters, outputs: z.array(OutputTensor) });

/** Answer of an inference (Open Inference Protocol v2), data flat and row-major. */
export function inferenceResponse(answered: Answered, signature: Signature, wanted: ReadonlySet<string>) {
  const rows = answered.predictionIds.length;
  const { answers } = answered;
  const data: Readonly<Record<string, () => (number | string)[]>> = {
    value: () => answers.flatMap((answer) => ('value' in answer ? [answer.value] : [])),
    probabilities: () => answers.flatMap((answer) => ('value' in answer ? [] : answer.probabilities)),
    class: () => answers.flatMap((answer) => ('value' in answer ? [] : [answer.class])),
  };
  return {
    model_name: answered.model, model_version: String(answered.version), id: answered.id,
    parameters: answerParameters(answered, signature),
    outputs: [
      ...outputsOf(signature).filter(({ name }) => wanted.has(name)).map(({ name, datatype, shape }) => ({ name, shape: [rows, ...shape], datatype, data: data[name]?.() ?? [] })),
      ...(answered.explanation ? [explanationOutput(answered.explanation)] : []),
    ],
  };
}
