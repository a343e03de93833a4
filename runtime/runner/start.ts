import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { ExplainedHead, ExplainTask } from '../../contract/explanation.js';
import type { ChildFrame, ChildFrameOf } from '../../contract/frames.js';
import type { Signature } from '../../contract/package.js';
import { outputsFrom } from '../../domain/outputs.js';
import type { Outputs } from '../../domain/outputs.js';
import { endError, reportedError } from '../child/failure.js';
import { startChild } from '../child/start.js';
import type { Child, ChildEnd } from '../child/start.js';
import type { ResidentMemory } from '../child/usage.js';
import { isPixels } from '../preprocess.js';
import type { RawRows } from '../preprocess.js';

export interface RunnerOptions {
  /** A local folder with a whole package (`manifest.json` and its files). */
  readonly packageDirectory: string;
  /** Absolute path of the module that loads TensorFlow. */
  readonly tfjsNode: string;
  /** TensorFlow's threads; few, since the server and other runners want the cores too. */
  readonly threads?: number;
  readonly memoryMb?: number;
  /** Whether other processes may talk with it as well, at `address`. */
  readonly shared?: boolean;
  /** How long loading, verifying and warming may take. */
  readonly startTimeoutMs?: number;
  /** Settings of TensorFlow and its libraries only (`TF_…`, `OMP_…`, `ONEDNN_…`, `MALLOC_…`). */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The runner ended while a prediction was on its way, or before it was asked. */
export class RunnerGone extends Error { override readonly name = 'RunnerGone' }

/** The runner is up, but cannot predict this input. */
export class PredictionRefused extends Error { override readonly name = 'PredictionRefused' }

/** The runner is up, but cannot explain this: `unfit` where the model cannot be explained like that, which the message tells the caller. */
export class NotExplained extends Error {
  override readonly name = 'NotExplained';
  constructor(readonly reason: ChildFrameOf<'unexplained'>['reason'], message: string) { super(message); }
}

/** Attributions of some rows, one after another, and what is said of them. */
export interface Explanation { readonly head: ExplainedHead; readonly attributions: Float64Array }

const CODES = { memory: 'release/load-failed', timeout: 'release/load-failed', crashed: 'release/load-failed' } as const;
const DRAIN_MS = 5_000;

/**
 * Starts a runner: a child process that verifies a package, replays its golden predictions and warms up before this resolves.
 * Errors: `package/corrupt`, `package/golden-mismatch`, `release/load-failed`.
 */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const { packageDirectory, tfjsNode, threads = 1, memoryMb = 2048, shared = false, startTimeoutMs = 60_000, env, signal } = options;
  let onFrame: (frame: ChildFrame, body: Uint8Array) => void = () => undefined;
  const child = startChild({
    // Fewer arenas: glibc would give each of TensorFlow's threads one, and keep it. The program collects what loading left behind, several times the weights.
    program: 'runner', memoryMb, tfjsNode, threads, environment: { MALLOC_ARENA_MAX: '2', ...env }, nodeArguments: ['--max-semi-space-size=4', '--expose-gc'], onFrame: (frame, body) => { onFrame(frame, body); },
  });
  const ready = new Promise<ChildFrameOf<'ready'>>((resolve, reject) => {
    onFrame = (frame) => {
      if (frame.kind === 'ready') resolve(frame);
      else if (frame.kind === 'failed') reject(reportedError(frame, 'release/load-failed'));
    };
    void child.end.then((end) => { reject(endError(end, child.output(), `loading the package in ${packageDirectory}`, CODES)); }, reject);
  });
  const stop = (end: ChildEnd) => () => { child.kill(end); };
  const deadline = setTimeout(stop({ kind: 'timeout', limitMs: startTimeoutMs }), startTimeoutMs);
  const abort = stop({ kind: 'aborted' });
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const path = shared ? join(child.home, 'runner.sock') : null;
  child.start({ program: 'runner', packageDirectory, ...(path === null ? {} : { listen: path }) });
  try {
    const frame = await ready;
    const runner = new Runner({ ...child, close: () => { child.kill(); } }, frame, path);
    onFrame = (answer, body) => { runner.receive(answer, body); };
    return runner;
  } catch (error) {
    child.kill();
    await child.end;
    throw signal?.aborted && signal.reason instanceof Error ? signal.reason : error;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
  }
}

/** The process of a runner, as whoever asks it has it: `kill` ends it, `close` says that it is not needed any more. */
export interface RunnerProcess extends Pick<Child, 'pid' | 'end' | 'send' | 'output' | 'residentBytes' | 'residentMemory'> { kill(): void; close(): void }

interface Explaining { readonly resolve: (explanation: Explanation) => void; readonly reject: (error: Error) => void }
interface Waiting { readonly resolve: (outputs: Outputs) => void; readonly reject: (error: Error) => void }

/** A loaded version that predicts. Emits `exit` once, when its process has ended for whatever reason. */
export class Runner extends EventEmitter<{ exit: [ChildEnd] }> {
  readonly pid: number;
  readonly digest: string;
  readonly model: string;
  readonly signature: Signature;
  /** Why its network is run operation by operation, which takes longer; null where it is run as a whole. */
  readonly uncompiled: string | null;
  readonly #waiting = new Map<number, Waiting>();
  readonly #explaining = new Map<number, Explaining>();
  readonly #width: number;
  #nextId = 0;
  #ended: ChildEnd | null = null;
  #drained: (() => void) | null = null;

  /** `path`: of the socket of one that is shared. */
  constructor(private readonly child: RunnerProcess, { digest, model, signature, uncompiled }: ChildFrameOf<'ready'>, readonly path: string | null = null) {
    super();
    this.pid = child.pid;
    this.digest = digest;
    this.model = model;
    this.signature = signature;
    this.uncompiled = uncompiled ?? null;
    this.#width = signature.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    void child.end.then((end) => { this.#end(end); });
  }

  /** Predictions that were asked and not answered yet. */
  get inFlight(): number { return this.#waiting.size + this.#explaining.size; }

  /**
   * Probabilities `rows × classes` (of a regression one value a row) for `rows` raw inputs: bytes or float32 of pictures, one after another, or the rows of a table,
   * their values in the signature's order of columns. Any number of calls may be in flight; they are answered in order.
   * Rejects with RunnerGone when the process ends, with PredictionRefused when the input does not fit.
   */
  predict({ rows, input }: { readonly rows: number; readonly input: RawRows }): Promise<Outputs> {
    const problem = this.#problemOf(rows, input);
    if (problem) return Promise.reject(problem);
    const id = this.#nextId++;
    const answer = new Promise<Outputs>((resolve, reject) => { this.#waiting.set(id, { resolve, reject }); });
    void this.child.send({ v: 1, kind: 'predict', id, rows, datatype: datatypeOf(input) }, bytesOf(input));
    return answer;
  }

  /**
   * What of the rows speaks for their outputs, computed between predictions. Rejects as {@link predict} does, and with NotExplained; `signal` gives it up, at
   * the end of the slice that is computed.
   */
  explain({ rows, input, task, signal }: { readonly rows: number; readonly input: RawRows; readonly task: ExplainTask; readonly signal?: AbortSignal }): Promise<Explanation> {
    const problem = signal?.aborted === true ? new NotExplained('cancelled', 'nobody waits for it') : this.#problemOf(rows, input);
    if (problem) return Promise.reject(problem);
    const id = this.#nextId++;
    const answer = new Promise<Explanation>((resolve, reject) => { this.#explaining.set(id, { resolve, reject }); });
    void this.child.send({ v: 1, kind: 'explain', id, rows, datatype: datatypeOf(input), task }, bytesOf(input));
    const cancel = () => { void this.child.send({ v: 1, kind: 'cancel-explanation', id }); };
    signal?.addEventListener('abort', cancel, { once: true });
    return answer.finally(() => { signal?.removeEventListener('abort', cancel); });
  }

  #problemOf(rows: number, input: RawRows): Error | null {
    if (this.#ended) return new RunnerGone(`the runner of ${this.model} (pid ${this.pid}) has ended`);
    const needed = isPixels(input) ? rows * this.#width : rows;
    return input.length === needed ? null : new PredictionRefused(`${rows} rows need ${needed} ${isPixels(input) ? 'numbers' : 'rows'}, ${input.length} were given`);
  }

  /** Resident bytes of the process, or null where that cannot be known. */
  rssBytes(): number | null { return this.child.residentBytes(); }

  /** The same, by what is the process's own and what it shares with other runners. */
  memory(): ResidentMemory | null { return this.child.residentMemory(); }

  /** The last of what the process wrote to stdout and stderr. */
  output(): string { return this.child.output(); }

  /** Ends the process without waiting for an answer: those in flight are rejected with RunnerGone. */
  kill(): void { this.child.kill(); }

  /** Lets predictions and explanations in flight finish (for up to `waitMs`), then ends the process. */
  async close(waitMs = DRAIN_MS): Promise<void> {
    if (this.inFlight > 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, waitMs);
        this.#drained = () => { clearTimeout(limit); resolve(); };
      });
    }
    this.child.close();
    await this.child.end;
  }

  /** For startRunner: takes in a frame of the child. */
  receive(frame: ChildFrame, body: Uint8Array): void {
    switch (frame.kind) {
      case 'prediction': this.#settle(this.#waiting, frame.id)?.resolve(outputsFrom(this.signature, body)); break;
      case 'refused': this.#settle(this.#waiting, frame.id)?.reject(new PredictionRefused(frame.message)); break;
      case 'explained': this.#settle(this.#explaining, frame.id)?.resolve({ head: frame.explanation, attributions: new Float64Array(body.slice().buffer) }); break;
      case 'unexplained': this.#settle(this.#explaining, frame.id)?.reject(new NotExplained(frame.reason, frame.message)); break;
      default: return;
    }
    if (this.inFlight === 0) this.#drained?.();
  }

  #settle<T>(waiting: Map<number, T>, id: number): T | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  #end(end: ChildEnd): void {
    this.#ended = end;
    const why = end.kind === 'exited' ? `${end.signal ?? `code ${end.code ?? 'unknown'}`}` : end.kind;
    for (const { reject } of [...this.#waiting.values(), ...this.#explaining.values()]) reject(new RunnerGone(`the runner of ${this.model} (pid ${this.pid}) ended (${why}) before it answered`));
    this.#waiting.clear();
    this.#explaining.clear();
    this.#drained?.();
    this.emit('exit', end);
  }
}

function datatypeOf(input: RawRows): 'UINT8' | 'FP32' | 'CELLS' {
  return !isPixels(input) ? 'CELLS' : input instanceof Uint8Array ? 'UINT8' : 'FP32';
}

function bytesOf(input: RawRows): Uint8Array {
  return isPixels(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new TextEncoder().encode(JSON.stringify(input));
}
