import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Type check, lint, tests; ends with one line `N passed, N failed[, N skipped]` that counts the tests really run. */

const root = fileURLToPath(new URL('../', import.meta.url));
const full = process.argv.includes('--full');
const LIMIT_MINUTES = full ? 80 : 19;
const TYPE_AND_LINT_MINUTES = 4;

/** Runs a program in a process group of its own and ends the whole group at the limit. */
function run(command, args, { minutes, quiet = false, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'], detached: true });
    let output = '';
    const collect = (text) => (output += text);
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const stop = () => {
      end('SIGTERM');
      process.exit(130);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const timer = setTimeout(() => {
      process.stdout.write(`${command} ${args[0] ?? ''} took more than ${minutes} minutes and was ended.\n`);
      end('SIGKILL');
    }, minutes * 60_000);
    child.on('error', (error) => (output += `${error.message}\n`));
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
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

/** What vitest's JSON report counts; a file that could not be loaded is one failed test. */
function count(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stdout.write(`vitest left no report (${error.message}).\n`);
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded, skipped: report.numPendingTests + report.numTodoTests };
}

section('Types and lint');
const checks = await Promise.all([
  timed('types', run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'], { minutes: TYPE_AND_LINT_MINUTES, quiet: true })),
  timed('lint', run('npm', ['run', '--silent', 'lint'], { minutes: TYPE_AND_LINT_MINUTES, quiet: true })),
]);
for (const check of checks) {
  if (!check.ok) process.stdout.write(check.output);
  process.stdout.write(`${check.title}: ${check.ok ? 'ok' : 'FAILED'} (${check.seconds} s)\n`);
}

section(full ? 'Tests, with the long ones' : 'Tests');
const folder = mkdtempSync(join(tmpdir(), 'perennial-tests-'));
const report = join(folder, 'report.json');
const tests = await timed('tests', run(process.execPath, [
  join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`,
], { minutes: LIMIT_MINUTES, env: full ? { PERENNIAL_TEST_FULL: '1' } : {} }));
const { passed, failed, skipped } = count(report);
rmSync(folder, { recursive: true, force: true });

section('Result');
for (const check of [...checks, tests]) process.stdout.write(`${check.title}: ${check.ok ? 'ok' : 'FAILED'} (${check.seconds} s)\n`);
if (passed + failed === 0) process.stdout.write('No test ran.\n');
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = checks.every((check) => check.ok) && tests.ok && failed === 0 && passed > 0 ? 0 : 1;
