import { totalmem } from 'node:os';

/** What a server allows itself and its callers. */
export interface ServerLimits {
  readonly bodyBytes: number; readonly maximumRows: number;
  readonly batchRows: number; readonly latencyGoalMs: number; readonly inFlight: number; readonly queueRows: number; readonly deadlineMs: number; readonly hungMs: number;
  readonly runnerMemoryMb: number;
  /** Memory that all runners together may have. */
  readonly memoryBytes: number;
  /** TensorFlow threads of each runner; all cores unless told. */
  readonly runnerThreads?: number;
  readonly logBytes: number;
  /** How long a prediction waits for the values of a feature view. */
  readonly lookupMs: number;
  /** How long a request that is no stream may take to arrive. */
  readonly arrivalMs: number;
  /** How long a replica that is told to stop goes on answering, so that those who ask whether it is ready notice. */
  readonly drainMs: number;
}

const LIMITS: ServerLimits = {
  bodyBytes: 32 * 1024 ** 2, maximumRows: 1_024, batchRows: 128, latencyGoalMs: 50, inFlight: 2, queueRows: 2_048, deadlineMs: 10_000, hungMs: 5_000, runnerMemoryMb: 2_048, memoryBytes: totalmem(), logBytes: 4 * 1024 ** 3,
  lookupMs: 1_000, arrivalMs: 60_000, drainMs: 5_000,
};

/** Those of one of so many processes: what a replica has of is divided among them. */
export function limitsOf(given: Partial<ServerLimits> | undefined, processes: number): ServerLimits {
  const limits = { ...LIMITS, ...given };
  return { ...limits, queueRows: Math.ceil(limits.queueRows / processes), logBytes: Math.ceil(limits.logBytes / processes) };
}
