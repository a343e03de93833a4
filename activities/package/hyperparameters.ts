import type { RunReason } from '../../contract/run.js';
import type { CompressionReport } from '../../contract/compression.js';
import type { ModelDefinition } from '../../definition/model.js';

/** Under which name a package of a definition with variants says which one it is. */
export const COMPRESSED_AS = 'compression';

/** How the weights of a version came to be: settings of its training and which variant of it was taken, or that it was imported and from which files. */
export function hyperparametersOf({ training }: ModelDefinition, { imported }: RunReason, compression?: CompressionReport): Record<string, unknown> {
  const compressed = compression ? { [COMPRESSED_AS]: compression.chosen } : {};
  if (imported) return { imported: imported.format, files: imported.files.sha256, ...compressed };
  const { optimizer, epochs, batchSize, seed, hyperparameters } = training;
  return { optimizer, epochs, batchSize, seed, ...hyperparameters, ...compressed };
}
