import type { ChildFrame, ChildFrameOf, LocalSnapshot } from '../../contract/frames.js';
import { endError, reportedError } from '../child/failure.js';
import { startChild } from '../child/start.js';

export interface LatencyOptions {
  /** Model directories, all of one definition. */
  readonly modelDirectories: readonly string[];
  readonly snapshot: LocalSnapshot;
  /** Absolute path of the module that loads TensorFlow. */
  readonly tfjsNode: string;
  /** Predictions of one row by each network, and the rows of a batch. */
  readonly rounds?: number;
  readonly batchRows?: number;
  readonly memoryMb?: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds of each prediction, a list for each network; those at the same place were taken one after another. */
export type Latencies = Pick<ChildFrameOf<'latencies'>, 'single' | 'batch' | 'batchRows'>;

const CODES = { memory: 'training/memory', timeout: 'training/time', crashed: 'training/crashed' } as const;
/** Large networks are timed fewer times. */
const LIMIT_MS = 10_000;

/**
 * Times networks against each other, in one child process with one thread, as a prediction server's runner has. Errors: `training/memory`,
 * `training/crashed`; when `signal` aborts, its reason.
 */
export async function measureLatencies({ modelDirectories, snapshot, tfjsNode, rounds = 200, batchRows = 32, memoryMb = 4096, signal }: LatencyOptions): Promise<Latencies> {
  signal?.throwIfAborted();
  let result: ChildFrame | null = null;
  const child = startChild({ program: 'latency', memoryMb, graceMs: 1000, tfjsNode, threads: 1, signal, onFrame: (frame) => { result ??= frame; } });
  child.start({ program: 'latency', modelDirectories: [...modelDirectories], snapshot, rounds, batchRows, limitMs: LIMIT_MS });
  const end = await child.end;
  const frame = result as ChildFrame | null;
  if (end.kind === 'exited' && frame?.kind === 'latencies') return { single: frame.single, batch: frame.batch, batchRows: frame.batchRows };
  if (end.kind === 'exited' && frame?.kind === 'failed') throw reportedError(frame, 'training/crashed');
  throw endError(end, child.output(), `timing '${snapshot.manifest.content.model}'`, CODES, signal);
}
