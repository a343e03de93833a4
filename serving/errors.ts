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
  421: 'a host name that is not served here',
  422: 'well-formed, but not what the model\'s signature asks',
  429: 'the key\'s rate or its budget of the day is used up; `Retry-After` says when to try again',
  500: 'the server failed',
  503: 'overloaded, or being restarted; `Retry-After` says when to try again',
  504: 'the prediction took too long',
} as const;
export type Status = keyof typeof STATUSES;

/** An answer other than 200: an HTTP status and a sentence for the caller, which reveals nothing of the inside. `cause` is for the server's own log. */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;
  constructor(readonly status: Status, message: string, { retryAfter, cause }: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
  }
}
