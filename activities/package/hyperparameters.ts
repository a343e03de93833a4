import type { RunReason } from '../../contract/run.js';
import type { ModelDefinition } from '../../definition/model.js';

/** How the weights of a version came to be: settings of its training, or that it was imported and from which files. */
export function hyperparametersOf({ training }: ModelDefinition, { imported }: RunReason): Record<string, unknown> {
  if (imported) return { imported: imported.format, files: imported.files.sha256 };
  const { optimizer, epochs, batchSize, seed, hyperparameters } = training;
  return { optimizer, epochs, batchSize, seed, ...hyperparameters };
}
