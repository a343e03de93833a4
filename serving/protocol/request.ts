import { z } from 'zod';
import type { Signature } from '../../contract/package.js';
import { ServingError } from '../errors.js';
import { Explain } from '../explain/options.js';

export const Datatype = z.enum(['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES']);
export type Datatype = z.infer<typeof Datatype>;

const Parameters = z.record(z.string(), z.unknown());

/** What a request says of itself: texts are attributes, `timeout` and `explain` the protocol's and ours. */
const RequestParameters = z.looseObject({ explain: Explain.optional().describe('whether, or how, each row\'s prediction is explained') });

/** One input tensor. `data` is checked where its values are read: a picture's thousands of numbers are looked at once only. */
export const InferenceInput = z.object({ name: z.string().min(1), shape: z.array(z.int().min(0)).min(1).max(8), datatype: Datatype, parameters: Parameters.optional(), data: z.unknown() });
export type InferenceInput = z.infer<typeof InferenceInput>;

/** Most inputs of a request: columns of the widest table. */
export const MOST_INPUTS = 4_096;

/** Body of `POST /v2/models/{m}/infer` (Open Inference Protocol v2). */
export const InferenceRequest = z.object({
  id: z.string().min(1).max(128).optional(),
  parameters: RequestParameters.optional(),
  inputs: z.array(InferenceInput).min(1).max(MOST_INPUTS),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
});
export type InferenceRequest = z.infer<typeof InferenceRequest>;

/** Reads what is asked, once it is known which version answers, and how many rows it may have at once. Throws ServingError. */
export type ReadRequest = (signature: Signature, maximumRows: number) => InferenceRequest;

/** Parses a body; 400 names the first field that is wrong. */
export function parseInferenceRequest(body: unknown): InferenceRequest {
  const parsed = InferenceRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ServingError(400, `The body is not an inference request: ${describeIssues(parsed.error)}`);
}

/** Names of the outputs that are to follow the answer's JSON as bytes: those that say `binary_data`, or all of them by `binary_data_output`. */
export function binaryOutputs({ parameters, outputs }: InferenceRequest, wanted: ReadonlySet<string>): ReadonlySet<string> {
  const all = parameters?.['binary_data_output'] === true;
  const said = new Map(outputs?.map((output) => [output.name, output.parameters?.['binary_data']]));
  return new Set([...wanted].filter((name) => said.get(name) ?? all));
}

/** The first few problems of a body, with the path of each. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.flatMap(nearest).slice(0, 3).map((issue) => `${issue.path.length > 0 ? issue.path.join('.') : 'body'}: ${issue.message.endsWith(', received undefined') ? 'missing' : issue.message}`).join('; ');
}

/** Of alternatives, the issues inside of one that the value is meant for: an object that has the wrong field. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  const meant = issue.code === 'invalid_union' ? issue.errors.find((issues) => issues.length > 0 && issues.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys')) : undefined;
  return meant ? meant.flatMap((one) => nearest({ ...one, path: [...issue.path, ...one.path] })) : [issue];
}

const ATTRIBUTES = { count: 32, nameLength: 63, valueLength: 256 } as const;

/** A request's parameters with text values are the prediction's attributes (`light=night`); the protocol's own, numbers and booleans, are not. */
export function attributesOf(request: InferenceRequest): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.parameters ?? {})) {
    if (typeof value !== 'string') continue;
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name.length > ATTRIBUTES.nameLength) throw new ServingError(422, `Parameter "${name.slice(0, 80)}" cannot be an attribute: letters, digits, dot, underscore or hyphen, at most ${ATTRIBUTES.nameLength}.`);
    if (value.length > ATTRIBUTES.valueLength) throw new ServingError(422, `Parameter "${name}" is longer than ${ATTRIBUTES.valueLength} characters.`);
    attributes[name] = value;
  }
  if (Object.keys(attributes).length > ATTRIBUTES.count) throw new ServingError(422, `At most ${ATTRIBUTES.count} parameters with text values are kept as attributes.`);
  return attributes;
}

/** How long the caller waits for the answer, in milliseconds: the parameter `timeout`, which Triton's clients send in microseconds; a text of that name is an attribute like others. 422 where it is no time. */
export function timeoutOf({ parameters }: InferenceRequest): number | undefined {
  const timeout = parameters?.['timeout'];
  if (timeout === undefined || typeof timeout === 'string') return undefined;
  if (typeof timeout !== 'number' || !Number.isSafeInteger(timeout) || timeout < 0) throw new ServingError(422, 'Parameter "timeout" is a whole number of microseconds; 0 is the server\'s own limit.');
  return timeout === 0 ? undefined : timeout / 1_000;
}
