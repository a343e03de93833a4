import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { builtFile, packageRoot } from '../child/program-path.js';
import type { Exported } from './load.js';

/** What an exported package leaves to whoever uses it. */
export const TENSORFLOW = '@tensorflow/tfjs';
const EXTERNAL = [TENSORFLOW, 'sharp'];

export interface PortableCode {
  readonly code: Uint8Array;
  /** Folders of the packages whose code went into it. */
  readonly packages: readonly string[];
}

/**
 * The code of an exported package, in one module: preprocessing, decoding and prediction from the very files that training, evaluation and
 * servers run. Only two are others in a browser: how weights are read, and what unpacks JPEG and WebP.
 */
export async function bundlePortable(exported: Exported, platform: 'node' | 'browser'): Promise<PortableCode> {
  const { outputFiles: [output], metafile } = await build({
    stdin: { contents: entryOf(exported), resolveDir: dirname(builtFile('runtime/export/load.js')), loader: 'js' },
    absWorkingDir: packageRoot(), bundle: true, write: false, format: 'esm', platform, target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'silent', metafile: true,
    external: EXTERNAL, tsconfigRaw: '{}', plugins: platform === 'browser' ? [inBrowsers] : [],
  });
  if (!output) throw new Error('esbuild gave no output');
  return { code: output.contents, packages: packagesIn(Object.keys(metafile.inputs)) };
}

/** The address of the weights is written as bundlers recognise it, so that they take the file along. */
function entryOf(exported: Exported): string {
  const read = exported.preprocessing.kind === 'image' ? { name: 'readPictures', file: './pictures.js' } : { name: 'readTableRows', file: './table-rows.js' };
  return `import { createLoad } from "./load.js";
import { readWeights } from "./read-weights.js";
import { ${read.name} } from ${JSON.stringify(read.file)};
const beside = new URL("./weights.bin", import.meta.url);
export const load = createLoad(${JSON.stringify(exported)}, { readWeights: (from = beside) => readWeights(from), tensorFlow: () => import(${JSON.stringify(TENSORFLOW)}), read: ${read.name} });
`;
}

/** Takes the browser's own form of a module, where there is one. */
const inBrowsers: Plugin = {
  name: 'in-browsers',
  setup(plugin) {
    plugin.onResolve({ filter: /\/(photo|read-weights)\.js$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path.replace(/\.js$/, '.browser.js')) }));
  },
};

function packagesIn(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort().map((path) => join(packageRoot(), path));
}
