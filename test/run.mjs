import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiler } from '../infra/setup/build.mjs';

/** Type check, lint, tests; ends with one line `N passed, N failed[, N skipped]` that counts the tests really run. */

const root = fileURLToPath(new URL('../', import.meta.url));
const full = process.argv.includes('--full');
const LIMIT_MINUTES = full ? { tests: 60, story: 40 } : { tests: 14, story: 13 };
const TYPE_AND_LINT_MINUTES = 8;

/** Process groups that are running; an end of this program is theirs. */
const groups = new Set();

function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const pid of groups) endGroup(pid, 'SIGTERM');
    process.exit(130);
  });
}

/** Runs a program in a process group of its own and ends the whole group at the limit. */
function run(command, args, { minutes, quiet = false, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'], detached: true });
    let output = '';
    const collect = (text) => (output += text);
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    if (child.pid !== undefined) groups.add(child.pid);
    const timer = setTimeout(() => {
      process.stdout.write(`${command} ${args[0] ?? ''} took more than ${minutes} minutes and was ended.\n`);
      endGroup(child.pid, 'SIGKILL');
    }, minutes * 60_000);
    child.on('error', (error) => (output += `${error.message}\n`));
    child.on('close', (code) => {
      clearTimeout(timer);
      groups.delete(child.pid);
      resolve({ ok: code === 0, output });
    });
  });
}

function section(title) {
  process.stdout.write(`\n== ${title} ==\n`);
}

async function timed(title, work) {
  const began = performance.now();
  const result = await work;
  return { title, ...result, seconds: ((performance.now() - began) / 1000).toFixed(1) };
}

/** What failed, by file and name, with its message: said again at the very end, where whoever reads only the end finds it. */
const failuresOf = ({ name, message, assertionResults }, unloaded) => unloaded
  ? [`${relative(root, name)}\n${indented(message)}`]
  : assertionResults.filter((test) => test.status === 'failed')
    .map((test) => `${relative(root, name)} > ${test.fullName}\n${indented(test.failureMessages.join('\n'))}`);

const indented = (text) => text.trim().split('\n').slice(0, 20).map((line) => `    ${line}`).join('\n');

/** What vitest's JSON report counts; a file that could not be loaded is one failed test. */
function count(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stdout.write(`vitest left no report (${error.message}).\n`);
    return { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  const isUnloaded = (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed');
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(isUnloaded).length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: report.testResults.flatMap((file) => failuresOf(file, isUnloaded(file))),
  };
}

const told = ({ title, ok, seconds }) => `${title}: ${ok ? 'ok' : 'FAILED'} (${seconds} s)\n`;

/** Types, then lint, each told when it is done. They fill what the tests leave of the processors while they wait. */
async function runChecks() {
  const { command: tsc, args: flags, env: settings } = compiler(root);
  const commands = {
    types: [tsc, [...flags, '-p', 'tsconfig.json', '--noEmit'], settings],
    lint: ['npm', ['run', '--silent', 'lint']],
  };
  const checks = [];
  for (const [title, [command, args, env]] of Object.entries(commands)) {
    const check = await timed(title, run(command, args, { minutes: TYPE_AND_LINT_MINUTES, quiet: true, env }));
    process.stdout.write(`${check.ok ? '' : check.output}${told(check)}`);
    checks.push(check);
  }
  return checks;
}

const folder = mkdtempSync(join(tmpdir(), 'perennial-tests-'));

/** One vitest run; gives how it went and what it counted. */
async function runTests(title, minutes, args) {
  section(title);
  const report = join(folder, `${title.replaceAll(' ', '-')}.json`);
  const result = await timed(title, run(process.execPath, [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args,
  ], { minutes, env: full ? { PERENNIAL_TEST_FULL: '1' } : {} }));
  return { ...result, ...count(report) };
}

// The stories from end to end start everything and train: they come last.
section('Types and lint, beside the tests');
const [checks, unit] = await Promise.all([runChecks(), runTests('Tests', LIMIT_MINUTES.tests, ['--project', 'parts'])]);
const tests = [
  unit,
  await runTests('End to end', LIMIT_MINUTES.story, ['--project', 'end to end']),
];
rmSync(folder, { recursive: true, force: true });
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((key) => tests.reduce((sum, one) => sum + one[key], 0));

section('Result');
for (const failure of tests.flatMap(({ failures }) => failures)) process.stdout.write(`FAILED ${failure}\n`);
for (const check of [...checks, ...tests]) process.stdout.write(told(check));
if (passed + failed === 0) process.stdout.write('No test ran.\n');
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = [...checks, ...tests].every((check) => check.ok) && failed === 0 && passed > 0 ? 0 : 1;
