import { pathToFileURL } from 'node:url';
import { build, buildIsFresh } from './build.mjs';
import { cacheRoot, isComplete, manifestIsTrue } from './cache.mjs';
import { checkBefore, checkPlatform } from './checks.mjs';
import { dependenciesAreThere, installDependencies } from './dependencies.mjs';
import { SetupError } from './errors.mjs';
import { exampleTables, exampleTablesFolder } from './example-tables.mjs';
import { abandon, installParts } from './install.mjs';
import { isCheckout } from './package-root.mjs';
import { partsOf } from './parts.mjs';

const usage = `Usage: perennial setup [--dev] [--native] [--examples] [--quiet]
Installs what Perennial needs and is not there yet; safe to run again, and twice at once.
  --dev       also what only the tests need
  --native    the native parts only: no npm dependencies, no build
  --examples  also the tables of the examples; says where they are
  --quiet     say nothing where everything is there
`;

/** Ends a stopped set-up cleanly: its programs, what it was writing. */
function onStop(root) {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    process.once(signal, () => {
      process.stderr.write('\nSet-up was stopped; run it again to go on.\n');
      void abandon(root).finally(() => process.exit(code));
    });
  }
}

/**
 * Sets up everything that is missing: checks, npm dependencies (in a checkout), native parts, build (in a checkout).
 * @param {{dev?: boolean, native?: boolean, examples?: boolean, quiet?: boolean, stream?: NodeJS.WriteStream}} [options]
 * @returns {Promise<number>} exit code: 0 when all is there, 1 when something could not be done (it was said on `stream`)
 */
export async function setUp({ dev = false, native = false, examples = false, quiet = false, stream = process.stderr } = {}) {
  const began = performance.now();
  const root = cacheRoot();
  const parts = partsOf();
  if (!parts) {
    stream.write(`${checkPlatform().say}\n`);
    return 1;
  }
  const wanted = [...parts.filter((part) => dev || !part.testsOnly), ...(dev || examples ? [exampleTables] : [])];
  const sayWhere = () => { if (examples) process.stdout.write(`${exampleTablesFolder(root)}\n`); };
  const checkout = isCheckout() && !native;
  const missing = wanted.filter((part) => !isComplete(part, root));
  const dependencies = checkout && !dependenciesAreThere();
  const problems = await checkBefore({ root, missing, dependencies });
  if (problems.length > 0) {
    stream.write(`${problems.join('\n')}\n`);
    return 1;
  }
  const stale = missing.length > 0 || !manifestIsTrue(parts, root);
  const unbuilt = checkout && (dependencies || !buildIsFresh());
  if (!stale && !dependencies && !unbuilt) {
    if (!quiet) stream.write('Set-up: everything is there.\n');
    sayWhere();
    return 0;
  }
  onStop(root);
  try {
    if (dependencies) {
      stream.write('npm dependencies: installing\n');
      await installDependencies();
    }
    if (stale) await installParts({ parts, wanted, root, stream });
    if (unbuilt) {
      stream.write('Build: compiling to dist/\n');
      await build({ stream, errorsPass: dev });
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    stream.write(`${error.message}\n`);
    return 1;
  }
  stream.write(`Set-up: done in ${((performance.now() - began) / 1000).toFixed(1)} s.\n`);
  sayWhere();
  return 0;
}

/** The command line of set-up. */
export async function main(args) {
  const known = ['--dev', '--native', '--examples', '--quiet'];
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown) {
    process.stderr.write(`set-up does not know ${unknown}.\n${usage}`);
    return 2;
  }
  return setUp({ dev: args.includes('--dev'), native: args.includes('--native'), examples: args.includes('--examples'), quiet: args.includes('--quiet') });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main(process.argv.slice(2));
