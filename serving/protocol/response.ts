import type { Signature } from '../../contract/package.js';
import { ServingError } from '../errors.js';
import type { InferenceRequest } from './request.js';

interface Answered {
  model: string; version: number; generation: number; arm: string; id: string;
  predictionIds: readonly string[];
  /** Per row. */
  classes: readonly string[]; probabilities: readonly (readonly number[])[];
}

/** Names of the outputs that a request asks for; 422 where the model has no such output. */
export function outputsWanted(request: InferenceRequest): ReadonlySet<string> {
  const known = ['probabilities', 'class'];
  const wanted = request.outputs?.map((output) => output.name) ?? known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ServingError(422, `Unknown output "${unknown}". The model gives: ${known.join(', ')}.`);
  return new Set(wanted.length > 0 ? wanted : known);
}

/** Answer of an inference (Open Inference Protocol v2), data flat and row-major. */
export function inferenceResponse(answered: Answered, signature: Signature, wanted: ReadonlySet<string>) {
  const rows = answered.predictionIds.length;
  const outputs = [
    { name: 'probabilities', shape: [rows, signature.classes.length], datatype: 'FP32', data: answered.probabilities.flat() },
    { name: 'class', shape: [rows], datatype: 'BYTES', data: [...answered.classes] },
  ].filter((output) => wanted.has(output.name));
  return {
    model_name: answered.model, model_version: String(answered.version), id: answered.id,
    parameters: { prediction_ids: [...answered.predictionIds], version: answered.version, generation: answered.generation, arm: answered.arm },
    outputs,
  };
}

/** Answer of `GET /v2/models/{m}`; `parameters` says what this replica really serves. */
export function modelMetadata(model: string, version: number, generation: number, signature: Signature, versions: readonly number[]) {
  return {
    name: model, versions: versions.map(String), platform: 'tensorflow_tfjs',
    inputs: signature.inputs.map(({ name, datatype, shape, type, nullable, allowed }) => ({ name, datatype, shape: [-1, ...shape], ...(type === undefined ? {} : { parameters: { type, nullable: nullable ?? false, ...(allowed ? { allowed } : {}) } }) })),
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, signature.classes.length] },
      { name: 'class', datatype: 'BYTES', shape: [-1] },
    ],
    parameters: { version, generation, classes: signature.classes },
  };
}

/** Answer of `GET /v2`. */
export const serverMetadata = (version: string) => ({ name: 'perennial', version, extensions: [] as string[] });
