/** The request that a problem was met with, as it stands in the log of the server. */
export interface ProblemOf { readonly requestId?: string; readonly traceId?: string; readonly model?: string; readonly version?: number; readonly route?: string; readonly status?: number }

/** Where problems go that operators should see; `error` undefined where there is none. */
export type OnProblem = (message: string, error: unknown, of?: ProblemOf) => void;
