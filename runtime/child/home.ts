import { rmSync } from 'node:fs';
import { basename } from 'node:path';

/** Prefix of the folder that a host makes for each child. */
export const HOME_PREFIX = 'perennial-child-';

/** Removes this child's own folder. Looks at its name first: a program that is started by hand has the user's home. */
export function removeOwnHome(): void {
  const home = process.env['HOME'] ?? '';
  if (basename(home).startsWith(HOME_PREFIX)) rmSync(home, { recursive: true, force: true });
}
