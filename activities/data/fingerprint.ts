import { createHash } from 'node:crypto';
import type { Data } from '../../definition/data.js';
import { dependsOnMore } from '../../definition/expectations.js';
import { digestOf } from '../../domain/digest.js';
import type { OpenView } from '../features/open-views.js';
import type { ListedSource } from './listing.js';

/** Raised when a build makes other rows of the same sources: fingerprints of older builds then match nothing. */
const BUILD = 1;
/** A file that changed this shortly before it was looked at may change again within one tick of the file system's clock. */
const CLOCK_TICK_MS = 100;

/**
 * What the sources looked like before a row was read: the definition's data, every file's size and times, which labels count, and which rows were erased or frozen, and the name of the key of pseudonyms.
 * Null when a file is too fresh to trust its times (as git's index does), when a query or a generator is asked anew each time, or when more than the rows decides whether they are good.
 */
export function fingerprintOf(data: Data, { sources, views }: { readonly sources: readonly ListedSource[]; readonly views: readonly OpenView[] }, lookedAt: number, { erased, frozen, key }: { readonly erased: readonly string[]; readonly frozen: readonly string[]; readonly key: string | null }): string | null {
  if (data.kind === 'table' && data.expectations?.some(dependsOnMore)) return null;
  const parts = [];
  for (const listed of sources) {
    if (listed.kind === 'sql' || listed.kind === 'generator') return null; // only what they give tells whether it changed
    if (listed.kind === 'labelled') {
      parts.push({ mark: listed.mark });
      continue;
    }
    const files = createHash('sha256');
    for (const { name, mark, changedAt } of listed.files) {
      if (changedAt > lookedAt - CLOCK_TICK_MS) return null;
      files.update(`${name}\0${mark}\n`);
    }
    parts.push({ uri: listed.uri, files: files.digest('hex') });
  }
  return digestOf({ build: BUILD, data, parts, ...(views.length > 0 ? { views: views.map(({ joined, manifest }) => ({ joined, files: manifest.files.map(({ file }) => file.sha256) })) } : {}), ...(erased.length > 0 ? { erased: [...erased] } : {}), ...(frozen.length > 0 ? { frozen: [...frozen] } : {}), ...(key === null ? {} : { key }) });
}
