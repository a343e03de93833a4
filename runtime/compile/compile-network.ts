import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '../network.js';
import { Prng } from '../prng.js';
import { openSavedModel } from '../stored-network.js';
import type { TensorFlow } from '../tensorflow.js';
import { graphOf } from './graph.js';
import { NotCompilable, recordOperations } from './record.js';
import type { Constant } from './record.js';
import { savedModelOf } from './saved-model.js';

/** A graph holds its weights beside those of the layers, and TensorFlow a form of them that its operations like: of large networks that would be too much, and there is less to win. */
const LARGEST_BYTES = 64 * 1024 ** 2;
/** Rows of the two batches that are compared: no other size of a tensor is likely to differ in just this way. */
const BATCHES = [3, 5] as const;
/** Largest distance of an output from that of the layers, as a share of the largest one: another order of additions, and no more. */
const TOLERANCE = 1e-5;

export interface Compiled { readonly network: Network; /** Why it is run as it is after all; null where it was compiled. */ readonly why: string | null }

/**
 * The network as one graph that TensorFlow runs as a whole. Layer by layer every operation is asked for by itself, from JavaScript, and its result put down before the
 * next one starts; of a graph TensorFlow joins operations, and a single row is predicted in a third of the time. What is run is what the layers ask TensorFlow
 * to do for a batch, written down and held against what they ask for another one; its outputs are held against theirs. `shape`: of a row. Gradients still come from the layers.
 */
export async function compileNetwork(tf: TensorFlow, network: Network, shape: readonly number[]): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), 'compiled-'));
  try {
    const [first, second] = BATCHES.map((rows) => batchOf(rows, shape)) as [Batch, Batch];
    const constants = new Map<object, Constant>();
    const [one, other] = [first, second].map((batch) => recordOperations(tf, network.traced ?? network.run, { ...batch, constants, limitBytes: LARGEST_BYTES })) as [Recorded, Recorded];
    await writeFile(join(folder, 'saved_model.pb'), savedModelOf(graphOf(one, other, first.sizes)));
    const compiled = await openSavedModel(tf, folder);
    for (const [{ values, sizes }, recorded] of [[first, one], [second, other]] as const) {
      const found = tf.tidy(() => compiled.run(tf.tensor(values, sizes)).dataSync() as Float32Array);
      requireAlike(recorded.values, found);
    }
    return { network: { ...network, run: compiled.run, dispose: () => { compiled.dispose(); network.dispose(); } }, why: null };
  } catch (error) {
    // Whatever TensorFlow has against the graph, the layers can be run.
    return { network, why: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Batch { readonly values: Float32Array; readonly sizes: number[] }
type Recorded = ReturnType<typeof recordOperations>;

/** Numbers in [0, 1), other ones for another size: what depended on them by more than TensorFlow's operations would differ. */
function batchOf(rows: number, shape: readonly number[]): Batch {
  const sizes = [rows, ...shape];
  const { float } = Prng.of('compile', rows);
  return { sizes, values: Float32Array.from({ length: sizes.reduce((product, size) => product * size, 1) }, float) };
}

function requireAlike(expected: Float32Array, found: Float32Array): void {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isAlike = found.length === expected.length && expected.every((value, index) => Math.abs(value - (found[index] ?? NaN)) <= TOLERANCE * scale);
  if (!isAlike) throw new NotCompilable('the graph gives other outputs than the layers');
}
