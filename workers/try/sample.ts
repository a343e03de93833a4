import type { ListedSource } from '../../activities/data/listing.js';
import type { ModelDefinition } from '../../definition/model.js';
import { sha256Hex } from '../../domain/digest.js';

/**
 * Leaves about `rows` pictures of each source, as many of every class, always the same ones. Fewer per class than the definition's
 * checks ask for would fail for no reason, so three times that many are left. Tables stay whole: DuckDB reads them in seconds.
 */
export function sampleSources(sources: readonly ListedSource[], { data }: ModelDefinition, rows: number): ListedSource[] {
  if (data.kind !== 'images') return [...sources];
  const perClass = Math.max(Math.ceil(rows / data.target.classes.length), 3 * data.checks.minimumRowsPerClass);
  return sources.map((source) => {
    if (source.kind !== 'files' || source.source.kind !== 'image-folder') return source;
    const folder = source.source.path.replace(/\/+$/, '');
    const byClass = new Map<string, (typeof source.files)[number][]>();
    for (const file of source.files) {
      const label = file.name.slice(folder === '' ? 0 : folder.length + 1).split('/')[0] ?? '';
      byClass.set(label, [...(byClass.get(label) ?? []), file]);
    }
    const order = new Map(source.files.map((file) => [file, sha256Hex(file.name)]));
    const files = [...byClass.values()].flatMap((ofClass) => ofClass.toSorted((a, b) => ((order.get(a) ?? '') < (order.get(b) ?? '') ? -1 : 1)).slice(0, perClass));
    return { ...source, files };
  });
}
