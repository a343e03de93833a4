import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import type { TaskOf } from '../../contract/frames.js';
import type { Network, Port } from '../network.js';
import { createPreprocessor } from '../preprocess.js';
import { openStoredNetwork } from '../stored-network.js';
import type { TensorFlow } from '../tensorflow.js';
import type { Objective } from '../train/objective.js';
import type { ModelParts } from '../train/save-model.js';
import { unreadable, writeNetwork } from './read-network.js';

type Imported = NonNullable<TaskOf<'train'>['imported']>;

/**
 * Makes a model directory of a network that was trained elsewhere, with the preprocessing that the definition asks for: as a training does,
 * complete or not at all. Errors: `import/unreadable`, and `import/signature` where it does not take or give what the definition says.
 */
export async function importNetwork({ tf, imported: { format, directory }, objective, parts, to }: { readonly tf: TensorFlow; readonly imported: Imported; readonly objective: Objective; readonly parts: ModelParts; readonly to: string }): Promise<void> {
  const temporary = `${to}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await writeNetwork(tf, format, directory, temporary);
  for (const [name, value] of Object.entries(parts)) await writeFile(join(temporary, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);
  const network = await open(tf, temporary);
  checkSignature(tf, network, createPreprocessor(parts.preprocessing).shape, objective);
  network.dispose();
  await rm(to, { recursive: true, force: true });
  await rename(temporary, to);
}

async function open(tf: TensorFlow, directory: string): Promise<Network> {
  try {
    return await openStoredNetwork(tf, directory);
  } catch (cause) {
    throw unreadable(`TensorFlow cannot load the network: ${messageOf(cause)}`, cause);
  }
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
const mismatch = (problem: string) => new PerennialError('import/signature', problem);

/** Holds inputs and outputs against the definition: by what they say of themselves, then by running two blank rows. */
function checkSignature(tf: TensorFlow, network: Network, shape: readonly number[], { outputs, problemOf, ending }: Objective): void {
  const [input, ...more] = network.inputs;
  if (!input || more.length > 0) throw mismatch(`the network has ${network.inputs.length} inputs (${network.inputs.map(textOf).join('; ')}); the definition's rows are one input of the shape ${shapeText([null, ...shape])}`);
  if (input.dtype !== 'float32') throw mismatch(`the network's input ${textOf(input)} is of ${input.dtype}; rows come as float32: put a cast in front of it`);
  if (input.shape?.length && !fits(input.shape, [null, ...shape])) throw mismatch(`the network's input is ${textOf(input)}; the definition's data and features give ${shapeText([null, ...shape])}`);
  if (network.outputs.length !== 1) throw mismatch(`the network has ${network.outputs.length} outputs (${network.outputs.map(textOf).join('; ')}); the definition needs one of the shape ${shapeText([null, outputs])}`);
  const [found, numbers] = tf.tidy(() => {
    const answer = runOnce(network, () => network.run(tf.zeros([2, ...shape])));
    return [answer.shape, answer.dataSync() as Float32Array] as const;
  });
  if (found.length !== 2 || found[0] !== 2 || found[1] !== outputs) throw mismatch(`of 2 rows the network gives ${shapeText(found)}; the definition's target needs ${shapeText([2, outputs])}`);
  const problem = problemOf(numbers.slice(0, outputs));
  if (problem !== null) throw mismatch(`the network's outputs ${problem}: ${ending}`);
}

function runOnce<T>({ inputs }: Network, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unreadable(`the network cannot be run on rows for its input ${inputs.map(textOf).join('; ')}: ${messageOf(cause)}`, cause);
  }
}

/** Whether a network that takes `shape` can be given `wanted`: as many dimensions, and any or the same number in each. */
function fits(shape: readonly (number | null)[], wanted: readonly (number | null)[]): boolean {
  return shape.length === wanted.length && shape.every((size, at) => size === null || size < 0 || size === wanted[at]);
}

const textOf = ({ name, shape }: Port) => `${name} ${shape?.length ? shapeText(shape) : 'of any shape'}`;
const shapeText = (shape: readonly (number | null)[]) => `[${shape.map((size) => (size === null || size < 0 ? 'n' : size)).join(', ')}]`;
