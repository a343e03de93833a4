import { spawn } from 'node:child_process';
import { PerennialError } from '../contract/errors.js';
import { Commit } from '../contract/ref.js';

const OUTPUT_CHARACTERS = 1_000_000;

/** git without questions, without programs named by an address, and without the user's own configuration of hooks. */
const GIT_ENV = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true', SSH_ASKPASS: 'true', GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=10', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };

/**
 * The commit each branch points to, asked of the registered address (`git ls-remote`).
 * @throws repository/unreachable when git fails or takes longer than `timeoutMs`
 */
export async function loadHeads(url: string, branches: readonly string[], timeoutMs: number): Promise<Map<string, string>> {
  const output = await git(['-c', 'protocol.ext.allow=never', 'ls-remote', '--heads', '--', url, ...branches.map((branch) => `refs/heads/${branch}`)], url, timeoutMs);
  const heads = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [commit = '', ref = ''] = line.split('\t');
    const branch = ref.replace(/^refs\/heads\//, '');
    if (Commit.safeParse(commit).success && branches.includes(branch)) heads.set(branch, commit);
  }
  return heads;
}

function git(args: readonly string[], url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...GIT_ENV }, detached: true });
    let [output, errors] = ['', ''];
    const fail = (why: string) => { reject(new PerennialError('repository/unreachable', `git ls-remote ${url}: ${why}`)); };
    // The group, because git leaves ssh or curl behind when it alone is ended.
    const timer = setTimeout(() => {
      if (child.pid !== undefined) endGroup(child.pid);
      fail(`no answer within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => { if (output.length < OUTPUT_CHARACTERS) output += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { if (errors.length < 2_000) errors += text; });
    child.once('error', (error) => { clearTimeout(timer); fail(error.message); });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else fail(errors.trim() || `exit code ${code ?? 'none'}`);
    });
  });
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // it has ended by itself
  }
}
