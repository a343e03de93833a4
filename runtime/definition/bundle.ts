import { readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';
import type { BuildFailure, Plugin } from 'esbuild';
import { PerennialError } from '../../contract/errors.js';
import { builtFile } from '../child/program-path.js';

export interface Bundle {
  /** One ES module that imports nothing. The same checkout gives the same bytes, wherever it lies. */
  readonly code: Uint8Array;
  /** Source map of `code`, with paths relative to the checkout: kept apart, so that comments do not change a digest. */
  readonly sourceMap: Uint8Array;
}

/** A module by its path in a checkout, with `/`. */
export interface ModuleAddress { readonly checkout: string; readonly file: string }

/**
 * Bundles a definition file. Relative imports inside the checkout and `perennial` are taken in; any other import is
 * `definition/invalid`, as is a file that cannot be parsed. Team code is only read here, never run.
 */
export function bundleDefinition(address: ModuleAddress): Promise<Bundle> {
  return bundle(address);
}

/** Bundles the module that `network.module` names, `module` being relative to the definition file; same rules. */
export function bundleModule({ checkout, file, module }: ModuleAddress & { readonly module: string }): Promise<Bundle> {
  return bundle({ checkout, file: join(dirname(file), module).split(sep).join('/') });
}

/** Bundles one of the repository's own tests, which may also import Node's test runner and assertions. */
export function bundleTest(address: ModuleAddress): Promise<Bundle> {
  return bundle(address, TEST_BUILTINS);
}

const TEST_BUILTINS = ['node:test', 'node:assert', 'node:assert/strict'];

async function bundle({ checkout, file }: ModuleAddress, builtins: readonly string[] = []): Promise<Bundle> {
  const root = await realpath(checkout);
  try {
    const result = await build({
      absWorkingDir: root, entryPoints: [`./${file}`], outfile: 'bundle.mjs', bundle: true, write: false, format: 'esm', platform: 'neutral', target: 'es2022',
      charset: 'utf8', legalComments: 'none', sourcemap: 'external', sourcesContent: false, logLevel: 'silent', metafile: false,
      // A tsconfig.json of the checkout could redirect imports.
      tsconfigRaw: '{}',
      plugins: [allowedImports(root, builtins)],
    });
    const code = result.outputFiles.find(({ path }) => path.endsWith('.mjs'));
    const sourceMap = result.outputFiles.find(({ path }) => path.endsWith('.map'));
    if (!code || !sourceMap) throw new Error(`esbuild gave no output for ${file}`);
    return { code: code.contents, sourceMap: sourceMap.contents };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const problems = error.errors.map(({ text, location }) => (location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text));
    throw new PerennialError('definition/invalid', `${file} cannot be bundled: ${problems.join('; ')}`, { file, problems });
  }
}

/** Lets through relative files inside the checkout and `perennial`, and names any other import. */
function allowedImports(root: string, builtins: readonly string[]): Plugin {
  return {
    name: 'perennial-allowed-imports',
    setup(plugin) {
      plugin.onResolve({ filter: /.*/ }, async ({ path, importer, kind, resolveDir, namespace, pluginData }) => {
        if (pluginData === 'resolving') return null;
        if (namespace === 'perennial') return { path: path.replace(/^\.\//, ''), namespace };
        if (path === 'perennial') return { path: 'index.js', namespace: 'perennial' };
        if (builtins.includes(path)) return { path, external: true };
        const where = importer ? relative(root, importer).split(sep).join('/') : '';
        if (!/^\.\.?(\/|$)/.test(path)) return { errors: [{ text: `${where} imports '${path}': only relative files and 'perennial' may be imported` }] };
        const resolved = await plugin.resolve(path, { importer, kind, resolveDir, pluginData: 'resolving' });
        if (resolved.errors.length > 0) return { errors: resolved.errors };
        // By real path: a link inside the checkout could lead out of it.
        const inside = relative(root, await realpath(resolved.path));
        if (inside.startsWith('..') || isAbsolute(inside) || inside.split(sep).includes('node_modules')) return { errors: [{ text: `${where} imports '${path}', which lies outside the repository's own files` }] };
        return { path: resolved.path };
      });
      // Under a namespace, so that the bundle does not hold the path where this package is installed.
      plugin.onLoad({ filter: /.*/, namespace: 'perennial' }, async ({ path }) => ({ contents: await publicApi(path), loader: 'js' }));
    },
  };
}

async function publicApi(path: string): Promise<string> {
  const text = await readFile(resolve(dirname(builtFile('definition/index.js')), path), 'utf8');
  return text.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}
