import type { Compression, Quantized, Variant } from '../../definition/compression.js';
import { nameOfVariant } from '../../definition/compression.js';
import { obstacleTo } from '../../domain/compressible.js';
import { PerennialError } from '../../contract/errors.js';
import type { RunReason } from '../../contract/run.js';
import type { Candidate } from '../train/candidate.js';

/** A variant, or why there is none: the full network is there all the same. */
export type Made = { readonly name: string; readonly candidate: Candidate } | { readonly name: string; readonly error: string };

/** A variant as a workflow has to know it. */
export interface PlannedVariant { readonly name: string; /** It takes a training of its own. */ readonly trained?: boolean }

export const plannedVariants = ({ variants }: Compression): PlannedVariant[] => variants.map((variant) => ({ name: nameOfVariant(variant), trained: typeof variant !== 'string' }));

/** The files of a candidate that a variant has others of: those of the network, in the order of their names. */
export function networkFiles({ files }: Candidate): Candidate['files'] {
  return files.filter(({ path }) => path === 'model.json' || path === 'weights.bin' || path.startsWith('saved_model/')).sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function requireVariant(compression: Compression | undefined, name: string): Variant {
  const found = compression?.variants.find((variant) => nameOfVariant(variant) === name);
  if (found === undefined) throw new Error(`the definition has no variant ${name}`);
  return found;
}

/** Throws `compression/impossible` for a variant that cannot be made of a network of the form in which it was imported. */
export function requirePossible(variant: Variant, imported: RunReason['imported']): void {
  const obstacle = imported ? obstacleTo(variant, imported.format) : null;
  if (obstacle !== null) throw new PerennialError('compression/impossible', obstacle);
}

/** What a variant is, in words. */
export function howMade(variant: Variant): string {
  if (typeof variant === 'string') return STORED[variant];
  const stored = variant.store === 'float32' ? '' : `; ${STORED[variant.store]}`;
  const epochs = `${variant.epochs} epoch${variant.epochs === 1 ? '' : 's'}`;
  switch (variant.kind) {
    case 'prune': return `${Number((variant.share * 100).toPrecision(4))}% of each kernel is 0, ${epochs} more${stored}; gzip`;
    case 'distil': return `a network of its own, taught by the full one for ${epochs}${stored}`;
  }
}

const STORED: Readonly<Record<Quantized, string>> = { float16: 'weights as 16-bit floats', uint8: 'kernels in 256 steps' };
