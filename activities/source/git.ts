import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PerennialError } from '../../contract/errors.js';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
/** How far back one commit is known to come after another. */
const ANCESTORS = 100;

/** Nothing of the machine's or the repository's configuration runs: no hooks, filters, prompts, helpers or submodules. */
const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_ASKPASS: 'true',
  GIT_CONFIG_COUNT: '4',
  GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'core.hooksPath', GIT_CONFIG_VALUE_1: '/dev/null',
  GIT_CONFIG_KEY_2: 'protocol.ext.allow', GIT_CONFIG_VALUE_2: 'never',
  GIT_CONFIG_KEY_3: 'uploadpack.allowAnySHA1InWant', GIT_CONFIG_VALUE_3: 'true',
};

interface CommitOnDisk { readonly directory: string; /** The commits before this one, nearest first. */ readonly ancestors: string[]; readonly committer: { readonly name: string; readonly email: string }; readonly message: string; readonly committedAt: string }

/**
 * Exports a commit of a registered repository into `<scratch>/checkouts/<repository>-<commit>`, with a `purpose` into a folder of its own. The bare copy beside it is fetched
 * into again and again; the folder appears under its name only when it is whole.
 */
export async function checkOut({ scratch, repository, url, commit, branch, purpose = '', signal }: { scratch: string; repository: string; url: string; commit: string; branch: string; purpose?: string; signal: AbortSignal }): Promise<CommitOnDisk> {
  const bare = join(scratch, 'repositories', `${repository}.git`);
  const directory = join(scratch, 'checkouts', [repository, commit, ...(purpose === '' ? [] : [purpose])].join('-'));
  const git = async (...args: string[]) => (await run('git', ['--git-dir', bare, ...args], { env: ENVIRONMENT, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024, signal })).stdout;
  const missing = (what: string) => new PerennialError('repository/commit-missing', `repository ${repository} ${what}`, { repository, commit, branch });
  const has = async () => git('cat-file', '-e', `${commit}^{commit}`).then(() => true, () => false);

  await mkdir(bare, { recursive: true });
  await run('git', ['init', '--quiet', '--bare', bare], { env: ENVIRONMENT, timeout: TIMEOUT_MS, signal });
  if (!(await has())) {
    const byCommit = await fetchInto(git, url, commit);
    if (byCommit !== null && !(await has())) {
      const byBranch = await fetchInto(git, url, `refs/heads/${branch}`);
      if (byBranch?.includes("couldn't find remote ref")) throw missing(`has no branch ${branch}, and no commit ${commit} that it would give by itself`);
      if (byBranch !== null) throw new PerennialError('repository/unreachable', `repository ${repository} could not be fetched: ${byBranch}`);
    }
    if (!(await has())) throw missing(`has no commit ${commit} on branch ${branch}, and would not give it by itself: the commit may be on another branch`);
  }

  const [name = '', email = '', committedAt = '', ...message] = (await git('show', '--no-patch', '--format=%cn%n%ce%n%cI%n%s', commit)).trimEnd().split('\n');
  const ancestors = (await git('rev-list', `--max-count=${ANCESTORS + 1}`, commit)).trim().split('\n').slice(1);
  if (!(await stat(directory).catch(() => null))) {
    const partial = `${directory}.${process.pid}.tmp`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const tar = `${partial}.tar`;
    await git('archive', '--format=tar', '--output', tar, commit);
    await run('tar', ['-x', '-f', tar, '-C', partial, '--no-same-owner'], { timeout: TIMEOUT_MS, signal });
    await rm(tar, { force: true });
    await rename(partial, directory).catch(async (error: unknown) => {
      await rm(partial, { recursive: true, force: true });
      if (!(await stat(directory).catch(() => null))) throw error;
    });
  }
  return { directory, ancestors, committer: { name, email }, message: message.join('\n'), committedAt };
}

/** Null when it worked, else the line of git that says why not. */
async function fetchInto(git: (...args: string[]) => Promise<string>, url: string, what: string): Promise<string | null> {
  try {
    await git('fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--', url, what);
    return null;
  } catch (error) {
    const lines = String((error as { stderr?: string }).stderr ?? '').trim().split('\n');
    const said = lines.find((line) => line.startsWith('fatal: ')) ?? lines.at(-1) ?? '';
    return said === '' ? String(error) : said;
  }
}
