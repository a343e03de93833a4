import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';

/** The number in the manifest's name; the same as MANIFEST_NUMBER in infra/setup/parts.mjs, which writes the file. */
const MANIFEST_NUMBER = 1;

/** Where set-up has put the native parts; every path is absolute. */
export const NativeParts = z.object({
  v: z.literal(MANIFEST_NUMBER),
  /** The `temporal` program, which holds a server. */
  temporal: z.string(),
  /** The time-skipping server of the tests; there after `setup --dev` only. */
  temporalTestServer: z.string().optional(),
  /** SeaweedFS's `weed` program. */
  weed: z.string(),
  /** PostgreSQL: the folders of its programs and of its libraries. */
  postgres: z.object({ bin: z.string(), lib: z.string(), version: z.string() }),
  /** The module to `require` for tfjs-node, in child processes only. */
  tfjsNode: z.string(),
  /** The folder of CIFAR-10's sheets and label files. */
  cifar10: z.string(),
  versions: z.record(z.string(), z.string()),
});
export type NativeParts = z.infer<typeof NativeParts>;

/** The native parts are not there, or not wholly; the message says what to do. */
export class NativePartsMissing extends Error {
  override readonly name = 'NativePartsMissing';

  constructor(found: string, options?: ErrorOptions) {
    super(`${found}: run \`perennial setup\`, or see \`perennial doctor\`.`, options);
  }
}

/**
 * The folder of the native parts: PERENNIAL_CACHE; else, as root, a folder that PostgreSQL's own user can enter; else the
 * user's cache folder. The same rule as in infra/setup/cache.mjs, which must run before this file is built.
 */
export function nativeCacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env['PERENNIAL_CACHE']) return resolve(env['PERENNIAL_CACHE']);
  if (process.getuid?.() === 0) return '/var/cache/perennial';
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'perennial');
}

function readManifest(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new NativePartsMissing(`The list of native parts ${path} cannot be read`, { cause });
  }
}

/**
 * Reads where the native parts are.
 * @throws {NativePartsMissing} where set-up has not run, or a part has gone since
 */
export function loadNativeParts(env: NodeJS.ProcessEnv = process.env): NativeParts {
  const path = join(nativeCacheRoot(env), `manifest-${MANIFEST_NUMBER}.json`);
  if (!existsSync(path)) throw new NativePartsMissing(`The native parts are not there (${path})`);
  const parsed = NativeParts.safeParse(readManifest(path));
  if (!parsed.success) throw new NativePartsMissing(`The list of native parts ${path} is not what it should be (${z.prettifyError(parsed.error)})`, { cause: parsed.error });
  const parts = parsed.data;
  const gone = [parts.temporal, parts.weed, join(parts.postgres.bin, 'postgres'), parts.tfjsNode, parts.cifar10].find((place) => !existsSync(place));
  if (gone !== undefined) throw new NativePartsMissing(`The native part ${gone} has gone`);
  return parts;
}
