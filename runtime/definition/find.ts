import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';

const NAME = /^(perennial|.+\.(model|view))\.(ts|mts|js|mjs)$/;

/**
 * The definition files of a checkout (`perennial.ts`, `*.model.ts` and `*.view.ts`, also as .mts, .js, .mjs) at any depth, as relative
 * paths with `/`, sorted. Hidden folders, `node_modules` and links are passed over. None at all is `definition/missing`.
 */
export async function findDefinitions(checkout: string): Promise<string[]> {
  const found = await listDefinitions(checkout);
  if (found.length === 0) throw new PerennialError('definition/missing', 'the repository holds no definition: no `perennial.ts`, `*.model.ts` or `*.view.ts` at any depth');
  return found;
}

/** The same, where there may be none. */
export async function listDefinitions(checkout: string): Promise<string[]> {
  return (await walk(checkout, '')).sort();
}

async function walk(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const nested = await Promise.all(entries.map(async (entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : walk(root, path);
    return entry.isFile() && NAME.test(entry.name) ? [path] : [];
  }));
  return nested.flat();
}
