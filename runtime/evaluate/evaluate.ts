import type { Mistake } from '../../contract/evaluation.js';
import type { ChildFrame, EvaluateProgress, LocalSnapshot, TaskOf } from '../../contract/frames.js';
import type { FeatureReport } from '../../contract/importance.js';
import type { GoldenPredictions } from '../../contract/package.js';
import type { SnapshotTarget, Split } from '../../contract/snapshot.js';
import { endError, reportedError } from '../child/failure.js';
import { startChild } from '../child/start.js';

export interface EvaluateOptions {
  /** A model directory of `trainInChild`, or a package. */
  readonly modelDirectory: string;
  readonly snapshot: LocalSnapshot;
  readonly split?: Split;
  /** Rows of a table that the model does not take, as an unknown category: `data/blocked`, unless they are to be predicted as if it took them. */
  readonly refused?: TaskOf<'evaluate'>['refused'];
  /** Whether to find out which columns of a table the answers hang on. */
  readonly importance?: boolean;
  /** Absolute path of the module that loads TensorFlow. */
  readonly tfjsNode: string;
  readonly memoryMb?: number;
  readonly timeoutMs?: number;
  readonly threads?: number;
  readonly onProgress?: (progress: EvaluateProgress) => void;
  readonly signal?: AbortSignal;
}

interface EvaluatedRows {
  readonly rows: number;
  readonly keys: readonly string[];
  /** Rows with the same attributes share one object. */
  readonly attributes: readonly Readonly<Record<string, string>>[];
  readonly golden: GoldenPredictions;
  /** The 24 worst rows, the worst first: most confidently wrong, with their pictures (base64 PNG), or farthest from the truth. */
  readonly mistakes: readonly Mistake[];
  /** Of a table, where it was asked for. */
  readonly features: FeatureReport | null;
}
export interface EvaluatedClasses extends EvaluatedRows {
  readonly task: 'classification';
  readonly classes: readonly string[];
  /** Indexes of classes. */
  readonly actual: Uint16Array;
  readonly predicted: Uint16Array;
  /** `rows × classes`, 0..1. */
  readonly probabilities: Float32Array;
}
export interface EvaluatedValues extends EvaluatedRows {
  readonly task: 'regression';
  /** In the target's own unit. */
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
}
/** Predictions of a split, a row at the same place in each list, in the order of the snapshot (shards by index, rows by key). */
export type Evaluated = EvaluatedClasses | EvaluatedValues;

const CODES = { memory: 'training/memory', timeout: 'training/time', crashed: 'training/crashed' } as const;

/**
 * Predicts the rows of a split (`test` unless told) in a child process. Errors: `data/blocked`, `training/memory`, `training/time`,
 * `training/crashed`; when `signal` aborts, its reason.
 */
export async function evaluateInChild({ modelDirectory, snapshot, split = 'test', refused = 'block', importance = false, tfjsNode, memoryMb = 4096, timeoutMs, threads, onProgress, signal }: EvaluateOptions): Promise<Evaluated> {
  signal?.throwIfAborted();
  const rows = new RowCollector(snapshot.manifest.content.target);
  let result: ChildFrame | null = null;
  const child = startChild({
    program: 'evaluate', memoryMb, timeoutMs, graceMs: 1000, tfjsNode, threads, signal,
    onFrame: (frame, body) => {
      if (frame.kind === 'evaluated-rows') rows.add(frame.keys, frame.attributes, body);
      else if (frame.kind === 'evaluate-progress') onProgress?.(frame.progress);
      else result ??= frame;
    },
  });
  child.start({ program: 'evaluate', modelDirectory, snapshot, split, batchSize: 256, refused, importance });
  const end = await child.end;
  const frame = result as ChildFrame | null;
  if (end.kind === 'exited' && frame?.kind === 'evaluated') return { golden: frame.golden, mistakes: frame.mistakes, features: frame.features, ...rows.finish() };
  if (end.kind === 'exited' && frame?.kind === 'failed') throw reportedError(frame, 'training/crashed');
  throw endError(end, child.output(), `evaluating '${snapshot.manifest.content.model}'`, CODES, signal);
}

type FromLastFrame = 'golden' | 'mistakes' | 'features';

class RowCollector {
  readonly #keys: string[] = [];
  readonly #attributes: Readonly<Record<string, string>>[] = [];
  readonly #sets = new Map<string, Readonly<Record<string, string>>>();
  readonly #bodies: { readonly rows: number; readonly body: Uint8Array }[] = [];

  constructor(private readonly target: SnapshotTarget) {}

  add(keys: readonly string[], attributes: readonly string[], body: Uint8Array): void {
    for (const key of keys) this.#keys.push(key);
    for (const text of attributes) {
      const known = this.#sets.get(text) ?? (JSON.parse(text) as Record<string, string>);
      this.#sets.set(text, known);
      this.#attributes.push(known);
    }
    this.#bodies.push({ rows: keys.length, body });
  }

  finish(): Omit<EvaluatedClasses, FromLastFrame> | Omit<EvaluatedValues, FromLastFrame> {
    const common = { rows: this.#keys.length, keys: this.#keys, attributes: this.#attributes };
    if (this.target.task === 'regression') return { task: 'regression', ...common, ...this.values(common.rows) };
    const { classes } = this.target;
    return { task: 'classification', ...common, classes, ...this.classes(common.rows, classes.length) };
  }

  private values(rows: number): Pick<EvaluatedValues, 'actual' | 'predicted'> {
    const [actual, predicted] = [new Float64Array(rows), new Float64Array(rows)];
    let at = 0;
    for (const { rows: count, body } of this.#bodies) {
      actual.set(new Float64Array(body.buffer, 0, count), at);
      predicted.set(new Float64Array(body.buffer, count * 8, count), at);
      at += count;
    }
    return { actual, predicted };
  }

  private classes(rows: number, classes: number): Pick<EvaluatedClasses, 'actual' | 'predicted' | 'probabilities'> {
    const [actual, predicted, probabilities] = [new Uint16Array(rows), new Uint16Array(rows), new Float32Array(rows * classes)];
    let at = 0;
    for (const { rows: count, body } of this.#bodies) {
      actual.set(new Uint16Array(body.buffer, 0, count), at);
      predicted.set(new Uint16Array(body.buffer, count * 2, count), at);
      probabilities.set(new Float32Array(body.buffer, count * 4, count * classes), at * classes);
      at += count;
    }
    return { actual, predicted, probabilities };
  }
}
