import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds this package's package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = above;
  }
  return folder;
}

/** A compiled file of this package, also when the caller runs from source: child processes run compiled code only. */
export function builtFile(path: string): string {
  const file = join(packageRoot(), 'dist', path);
  if (!existsSync(file)) throw new Error(`${file} is not there: build the package first (npm run build)`);
  return file;
}
