import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package this file belongs to. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** A checkout has its lock file and the settings of the build; an installed package has neither and ships dist/. */
export function isCheckout(root = packageRoot) {
  return existsSync(join(root, 'package-lock.json')) && existsSync(join(root, 'tsconfig.build.json'));
}
