import type { Compression, Variant } from '../../definition/compression.js';
import { nameOfVariant } from '../../definition/compression.js';
import type { Candidate } from '../train/candidate.js';

/** A variant, or why there is none: the full network is there all the same. */
export type Made = { readonly name: string; readonly candidate: Candidate } | { readonly name: string; readonly error: string };

/** A variant as a workflow has to know it. */
export interface PlannedVariant { readonly name: string }

export const plannedVariants = ({ variants }: Compression): PlannedVariant[] => variants.map((variant) => ({ name: nameOfVariant(variant) }));

/** The files of a candidate that a variant has others of. */
export const COMPRESSED_FILES: readonly string[] = ['model.json', 'weights.bin'];

export function requireVariant(compression: Compression | undefined, name: string): Variant {
  const found = compression?.variants.find((variant) => nameOfVariant(variant) === name);
  if (found === undefined) throw new Error(`the definition has no variant ${name}`);
  return found;
}

/** What a variant is, in words. */
export function howMade(variant: Variant): string {
  switch (variant) {
    case 'float16': return 'weights as 16-bit floats';
    case 'uint8': return 'kernels in 256 steps';
  }
}
