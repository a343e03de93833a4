import { z } from 'zod';
import { ErrorBody, ServingError } from '../errors.js';
import { parseJson } from './json.js';
import { inputsOfRows, NamedRow } from './named-rows.js';
import { describeIssues, InferenceRequest, parseInferenceRequest, type ReadRequest } from './request.js';
import { InferenceAnswer } from './response.js';

const RowLine = z.object({ id: InferenceRequest.shape.id, parameters: InferenceRequest.shape.parameters, row: NamedRow.describe('raw values by the names of the columns; or a picture, {"image": {"b64": "…"}}') });
/** A line of a stream: one row by name, or a whole request of the Open Inference Protocol. */
export const StreamLine = z.union([RowLine, InferenceRequest]);

const place = { line: z.int().min(1).describe('number of the line that is answered'), id: z.string().optional().describe('the line\'s own, or made') };
/** A line of the answer: what was predicted, or why nothing was. */
export const StreamAnswer = z.union([
  InferenceAnswer.extend({ line: place.line }),
  z.object({ ...place, status: z.int().describe('as HTTP has it'), ...ErrorBody.shape }),
]);
export type StreamAnswer = z.infer<typeof StreamAnswer>;

/** A line as it is read: the client's id, known before the rest is looked at, and what is asked. */
export interface ReadLine { readonly id?: string; readonly toRequest: ReadRequest }

/** 400 where the line is not JSON; what else is wrong shows when it is asked. */
export function readLine(bytes: Buffer): ReadLine {
  const value = parseJson(bytes, 'line');
  const id = z.looseObject({ id: InferenceRequest.shape.id }).safeParse(value).data?.id;
  return {
    ...(id === undefined ? {} : { id }),
    toRequest(signature, maximumRows) {
      if (typeof value === 'object' && value !== null && 'inputs' in value) return parseInferenceRequest(value);
      const parsed = RowLine.safeParse(value);
      if (!parsed.success) throw new ServingError(400, `The line holds neither a "row" nor "inputs": ${describeIssues(parsed.error)}`);
      const { row, parameters } = parsed.data;
      return { ...(id === undefined ? {} : { id }), ...(parameters ? { parameters } : {}), inputs: inputsOfRows([row], signature, maximumRows) };
    },
  };
}
