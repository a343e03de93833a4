import { spawn } from 'node:child_process';
import { SetupError, excerpt, hasCode } from './errors.mjs';

const children = new Set();

/**
 * Runs a program and collects what it prints.
 * @param {string} command a program on PATH or an absolute path
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number}} [options]
 * @returns {Promise<{found: boolean, code: number, stdout: string, stderr: string}>} `found` is false where there is no such program
 */
export function capture(command, args, { cwd, env, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    children.add(child);
    // Not spawn's own timeout: its timer outlives a program that could not be started.
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout = (stdout + text).slice(-200_000)));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-200_000)));
    child.on('error', (error) => {
      clearTimeout(timer);
      children.delete(child);
      if (hasCode(error, 'ENOENT', 'EACCES')) resolve({ found: false, code: 127, stdout: '', stderr: error.message });
      else reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ found: true, code: code ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` });
    });
  });
}

/** What to say of a program that failed; npm and compilers say the cause first and help last, so both ends are shown. */
export function failed(what, command, { found, stdout, stderr }) {
  const said = found ? excerpt(`${stdout}\n${stderr}`) : `${command} is not on PATH`;
  return new SetupError(`${what} failed; mend what is said below and run set-up again.\n${said}`);
}

/** Runs a program that must succeed; `what` begins the sentence said when it does not. */
export async function mustRun(what, command, args, options) {
  const result = await capture(command, args, options);
  if (result.found && result.code === 0) return result;
  throw failed(what, command, result);
}

/** Ends every program still running, so that a set-up that is stopped leaves none behind. */
export function endChildren() {
  for (const child of children) child.kill('SIGTERM');
}
