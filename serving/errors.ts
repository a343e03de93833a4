/** An answer other than 200: an HTTP status and a sentence for the caller, which reveals nothing of the inside. `cause` is for the server's own log. */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;
  constructor(readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 421 | 422 | 500 | 503 | 504, message: string, { retryAfter, cause }: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
  }
}
