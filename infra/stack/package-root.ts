import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let known: string | undefined;

/** The folder of this package: the one with `package.json`, whether the sources run or what was built from them. */
export function packageRoot(): string {
  if (known !== undefined) return known;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    if (folder === dirname(folder)) throw new Error('The package.json of perennial was not found above its own files: install the package again');
    folder = dirname(folder);
  }
  known = folder;
  return folder;
}
