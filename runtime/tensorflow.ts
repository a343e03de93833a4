import { createRequire } from 'node:module';
import util from 'node:util';
import type * as TF from '@tensorflow/tfjs-node';

export type TensorFlow = typeof TF;
export type { GraphModel, LayersModel, Optimizer, Sequential, Tensor } from '@tensorflow/tfjs-node';

/**
 * Loads TensorFlow from the module that PERENNIAL_TFJS_NODE names. In child processes only: it is not safe on several
 * threads of a process, and leaks over long runs.
 */
export function loadTensorFlow(): TensorFlow {
  const module = process.env['PERENNIAL_TFJS_NODE'];
  if (!module) throw new Error('PERENNIAL_TFJS_NODE does not name the module of TensorFlow');
  // tfjs-node 4.22 calls these, and Node 23 removed them.
  const removed = { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray };
  for (const [name, shim] of Object.entries(removed)) if (!(name in util)) Object.defineProperty(util, name, { value: shim });
  return createRequire(import.meta.url)(module) as TensorFlow;
}

/** Version of the TensorFlow library itself, which the version of tfjs does not tell. */
export function tensorflowVersion(tf: TensorFlow): string {
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
  return binding.TF_Version;
}
