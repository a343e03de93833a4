import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundlePrograms } from './bundle-programs.mjs';
import { SetupError } from './errors.mjs';
import { capture } from './exec.mjs';
import { withLock } from './lock.mjs';
import { isCheckout, packageRoot } from './package-root.mjs';

const SHOWN_ERRORS = 20;
const OUTPUTS = ['.js', '.js.map', '.d.ts'];

/**
 * The native compiler itself, not npm's launcher, which would leave it running when it is ended. It is installed as `typescript-7`:
 * dependency-cruiser needs the API of version 6, which must be called `typescript`.
 * One checker and a lazy collector: more of either takes more processor time and ends sooner only where processors idle.
 */
export const compiler = (root = packageRoot) => ({
  command: join(root, 'node_modules', '@typescript', `typescript-${process.platform}-${process.arch}`, 'lib', 'tsc'),
  args: ['--checkers', '1', '--pretty', 'false'],
  env: { GOGC: '400' },
});

/** The folders that tsconfig.build.json names. */
function rooms(root) {
  return JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')).include.filter((room) => existsSync(join(root, room)));
}

function* filesUnder(folder) {
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    if (item.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** Name, size and time of every source and setting: what decides whether dist/ is up to date. */
function fingerprint(root) {
  const sources = rooms(root).flatMap((room) => [...filesUnder(join(root, room))]).filter((path) => path.endsWith('.ts'));
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', join('infra', 'setup', 'bundle-programs.mjs')].map((name) => join(root, name)).filter((path) => existsSync(path));
  return [...sources, ...settings].map((path) => {
    const { size, mtimeMs } = statSync(path);
    return `${relative(root, path)} ${size} ${mtimeMs}`;
  }).join('\n');
}

const stampOf = (root) => join(root, 'dist', '.built');

const bundleOf = (root) => join(root, 'dist', 'workflow-bundle.js');

/** The workflows in one file: made here once, so that every worker of a build runs the same code and starts quickly. */
async function bundleWorkflows(root) {
  const { code, stderr, stdout } = await capture(process.execPath, [join(root, 'dist', 'workers', 'bundle-workflows.js')], { cwd: root });
  if (code !== 0) throw new SetupError(`The workflows cannot be bundled.\n${(stderr.trim() || stdout.trim()).split('\n').slice(-SHOWN_ERRORS).join('\n')}`);
}

/** Is dist/ what the sources make? */
export function buildIsFresh(root = packageRoot) {
  return existsSync(stampOf(root)) && existsSync(bundleOf(root)) && readFileSync(stampOf(root), 'utf8') === fingerprint(root);
}

/** Outputs whose source was removed or renamed; left there, a worker could still load them. */
function removeStale(root) {
  const dist = join(root, 'dist');
  for (const path of filesUnder(dist)) {
    const ending = OUTPUTS.find((candidate) => path.endsWith(candidate));
    const source = ending && join(root, relative(dist, path).slice(0, -ending.length));
    if (source && !existsSync(`${source}.ts`)) rmSync(path);
  }
}

/** Was an output removed by hand? tsc's own record would make it leave that file away. */
function lacksOutputs(root) {
  const sources = rooms(root).flatMap((room) => [...filesUnder(join(root, room))]).filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
  return sources.some((path) => !existsSync(join(root, 'dist', relative(root, path).replace(/\.ts$/, '.js'))));
}

/**
 * Compiles the sources to dist/ unless that is up to date.
 * @param {{root?: string, stream?: NodeJS.WriteStream, force?: boolean, errorsPass?: boolean}} [options] with `errorsPass`
 *   type errors are told and the build counts as unfinished, but nothing is thrown: the tests' type check fails on them
 * @throws {SetupError} on type errors; what could be emitted is in dist/ all the same
 */
export async function build({ root = packageRoot, stream = process.stderr, force = false, errorsPass = false } = {}) {
  if (!force && buildIsFresh(root)) return;
  mkdirSync(join(root, 'dist'), { recursive: true });
  await withLock(join(root, 'dist', '.building'), (pid) => stream.write(`Another build (process ${pid}) is running; waiting for it.\n`), async () => {
    if (!force && buildIsFresh(root)) return;
    const before = fingerprint(root);
    removeStale(root);
    if (lacksOutputs(root)) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
    const { command, args, env } = compiler(root);
    const result = await capture(command, [...args, '-p', join(root, 'tsconfig.build.json')], { cwd: root, env });
    if (!result.found) throw new SetupError('The compiler is not installed: `npm run setup` installs it with the other npm dependencies, and builds.');
    if (result.code === 0) {
      await bundleWorkflows(root);
      await bundlePrograms(root);
      return writeFileSync(stampOf(root), before);
    }
    const lines = (result.stdout.trim() || result.stderr.trim()).split('\n');
    const more = lines.length > SHOWN_ERRORS ? `\n… and ${lines.length - SHOWN_ERRORS} lines more` : '';
    const message = `The build has type errors; mend them and build again.\n${lines.slice(0, SHOWN_ERRORS).join('\n')}${more}`;
    if (!errorsPass) throw new SetupError(message);
    stream.write(`${message}\n`);
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href && isCheckout()) {
  try {
    await build({ force: process.argv.includes('--force') });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
