import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What is started as a process of its own: the programs of team code and runners, the workers, the command line. */
const PROGRAMS = [
  ...['evaluate', 'generate', 'latency', 'read-definition', 'runner', 'train'].map((name) => `runtime/programs/${name}`),
  ...['compute', 'gateway', 'lifecycle', 'migrate', 'profile', 'seed', 'server', 'training', 'try'].map((name) => `workers/${name}`),
  'cli/main', 'infra/supervisor/main', 'infra/smtp/main',
  // Threads of theirs.
  'activities/data/personal/names/name-thread', 'activities/data/profile/number-thread', 'serving/log/copy-program',
  // What is measured against programs of others.
  'bench/data/ours',
];

/** Packages of plain JavaScript that become part of a program. All others, natives among them, are loaded from node_modules as ever. */
const INLINED = /^(zod|commander|fast-png|fflate|iobuffer|fzstd|re2js|uuid|@noble\/(curves|hashes)|@duckdb\/node-api)(\/|$)/;

/** Loaded by `createRequire` from the sources, where an import of its 200 files would be slower; in one file with the program it is neither. */
const DUCKDB_LIBRARY = /runtime[\\/]data[\\/]duckdb-library\.ts$/;

/** What a package in CommonJS that became part of a program calls for Node's own modules. */
const REQUIRE = 'import { createRequire as requireOf } from \'node:module\';\nconst require = requireOf(import.meta.url);';

/**
 * Makes each program of dist/ one file, in the place of what the compiler made of its entry. Node reads, parses and links a module file by
 * file: of hundreds, that takes most of the time until a program can begin. The other outputs stay for those who import them.
 */
export async function bundlePrograms(root) {
  const { build } = createRequire(join(root, 'package.json'))('esbuild');
  await build({
    entryPoints: PROGRAMS.map((name) => join(root, `${name}.ts`)), outdir: join(root, 'dist'), outbase: root, absWorkingDir: root,
    bundle: true, format: 'esm', platform: 'node', target: 'node20', sourcemap: 'linked', legalComments: 'inline', banner: { js: REQUIRE }, logLevel: 'silent',
    plugins: [{
      name: 'perennial',
      setup({ onLoad, onResolve }) {
        onResolve({ filter: /^[^./]/ }, ({ path, kind }) => (kind === 'entry-point' || INLINED.test(path) ? undefined : { path, external: true }));
        onLoad({ filter: DUCKDB_LIBRARY }, () => ({ loader: 'ts', contents: 'export { DuckDBBlobVector, DuckDBDoubleVector, DuckDBInstance, DuckDBListValue, DuckDBVarCharVector } from \'@duckdb/node-api\';' }));
      },
    }],
  });
}
