import { z } from 'zod';
import { RowTrigger } from '../contract/guarded.js';
import { toldTrigger } from '../domain/guardrails/violation.js';

/** The statuses of answers that are errors, and what each says. */
export const STATUSES = {
  400: 'not a request',
  401: 'no valid token or key',
  403: 'the token or key lacks the scope, or is not for the model',
  404: 'unknown model, version or label',
  408: 'the request was not whole in time',
  409: 'the model is being loaded, or started again',
  413: 'too many rows or pixels, or a body that is too large',
  415: 'a body of another type',
  417: 'the header `Expect` asks for what is not done here',
  421: 'a host name that is not served here',
  422: 'well-formed, but not what the model\'s signature asks, or refused by a guardrail, which `guardrails` names',
  429: 'the key\'s rate or its budget of the day is used up; `Retry-After` says when to try again',
  431: 'the headers are too large',
  500: 'the server failed',
  503: 'overloaded, or being restarted; `Retry-After` says when to try again',
  504: 'the prediction took too long',
} as const;
export type Status = keyof typeof STATUSES;

/** Longest message: it may repeat a name or a value of the request, which may have megabytes. */
const LONGEST = 1_000;

/** What was known of a request when it was refused, for the prediction log. `isPrivate`: the message may repeat values that the log must not hold. */
export interface Asked {
  readonly model: string; readonly version: number; readonly role: 'live' | 'canary' | 'shadow'; readonly generation: number;
  readonly requestId: string | null; readonly rows: number | null; readonly isPrivate: boolean;
}

interface Details { readonly retryAfter?: number | undefined; readonly cause?: unknown; readonly asked?: Asked | undefined; readonly caller?: string | undefined; readonly guardrails?: readonly RowTrigger[] | undefined }

/** An answer other than 200: an HTTP status and a sentence for the caller, which reveals nothing of the inside. `cause` is for the server's own log. */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;
  readonly asked: Asked | undefined;
  /** Who was refused, where it is known who they are though they were not let in. */
  readonly caller: string | undefined;
  /** Why rows may not be answered. */
  readonly guardrails: readonly RowTrigger[] | undefined;
  constructor(readonly status: Status, message: string, { retryAfter, cause, asked, caller, guardrails }: Details = {}) {
    super(message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
    this.asked = asked;
    this.caller = caller;
    this.guardrails = guardrails;
  }
}

/** 413: more rows than a request may hold. */
export const tooManyRows = (rows: number, maximumRows: number): ServingError => new ServingError(413, `A request may hold ${maximumRows} rows; this one has ${rows}. Send several, or use batch scoring.`);

/** What 415 says. */
export const UNKNOWN_TYPE = 'Send `Content-Type: application/json`, `application/octet-stream` with binary tensors, or the type of a picture (`image/png`, `image/jpeg`, `image/webp`); a stream is `application/x-ndjson`.';

/** The body of an answer that is an error. */
export const ErrorBody = z.object({ error: z.string(), guardrails: z.array(RowTrigger).optional().describe('of 422: the rows that guardrails refuse, the first 20 of them') });
export function errorBody({ message, guardrails }: ServingError): z.infer<typeof ErrorBody> {
  return { error: message, ...(guardrails ? { guardrails: guardrails.map(({ row, ...trigger }) => toldTrigger(row, trigger)) } : {}) };
}

/** What a caller is told of an error; `cause` is for the log. */
export function asServingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error;
  switch (error instanceof Error && 'statusCode' in error ? error.statusCode : 500) {
    case 413: return new ServingError(413, 'The body is too large.');
    case 415: return new ServingError(415, UNKNOWN_TYPE);
    case 400: return new ServingError(400, 'The request is malformed.');
    default: return new ServingError(500, 'The server failed; the reason is in its log.', { cause: error });
  }
}
