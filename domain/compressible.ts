import type { ModelFormat } from '../contract/imported.js';
import type { Compression, Variant } from '../definition/compression.js';

/** Why a variant cannot be made of a network of this form, or null. A student learns from whatever can be run. */
export function obstacleTo(variant: Variant, format: ModelFormat): string | null {
  const kind = typeof variant === 'string' ? 'quantize' : variant.kind;
  if (kind === 'distil' || format === 'tfjs-layers') return null;
  if (kind === 'prune') return `a ${format === 'tfjs-graph' ? 'graph model' : 'SavedModel'} has no layers that could be pruned and trained on; import it as a layers model`;
  return format === 'tfjs-graph' ? null : 'the weights of a SavedModel are in TensorFlow\'s own files, which are served as they are; convert it to a graph model and import that';
}

/** Those of a definition's variants that cannot be made of a network of this form, and why. */
export function impossibleVariants(compression: Compression | undefined, format: ModelFormat): { name: string; why: string }[] {
  return (compression?.variants ?? []).flatMap((variant) => {
    const why = obstacleTo(variant, format);
    return why === null ? [] : [{ name: typeof variant === 'string' ? variant : variant.name, why }];
  });
}
