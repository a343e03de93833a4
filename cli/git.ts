import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommandError } from './errors.js';

const run = promisify(execFile);
const GIT_MS = 5_000;

/** Output of one git command in a folder, without the line end. */
export function git(folder: string, ...args: readonly string[]): Promise<string> {
  return gitWith({}, folder, ...args);
}

/** The same with more environment variables, for example another index. */
export async function gitWith(environment: Readonly<Record<string, string>>, folder: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], { timeout: GIT_MS, env: { ...process.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...environment } });
    return stdout.trimEnd();
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : String(error);
    throw new CommandError('git', `git ${args[0] ?? ''} in ${folder}: ${said}`, 'Check that the folder is a git repository and that git is installed.');
  }
}

/** The repository's top folder, or null where the folder is in none. */
export async function repositoryRoot(folder: string): Promise<string | null> {
  try {
    return await git(folder, 'rev-parse', '--show-toplevel');
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}
