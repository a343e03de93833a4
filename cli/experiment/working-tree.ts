import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../command.js';
import { CommandError } from '../errors.js';
import { git, gitWith, repositoryRoot } from '../git.js';
import { Repositories } from '../views.js';

/** Who makes it is of no matter, and a machine without a name in git's configuration can make one too. */
const NOBODY = { GIT_AUTHOR_NAME: 'Perennial', GIT_AUTHOR_EMAIL: 'perennial@localhost', GIT_COMMITTER_NAME: 'Perennial', GIT_COMMITTER_EMAIL: 'perennial@localhost' } as const;

export interface WorkingTree {
  readonly commit: string;
  /** Takes back what keeps the commit: when a worker has read it, nobody needs it here. */
  forget(): Promise<void>;
}

/**
 * A commit of the working tree as it is, with what is new and not ignored, on no branch: index, branch and files stay as they are. A ref
 * of its own keeps it from being collected until it was read.
 * @throws CommandError where the folder is no repository, or none that Perennial can read from here
 */
export async function commitWorkingTree({ io, api }: Pick<Context, 'io' | 'api'>, id: string): Promise<WorkingTree> {
  const root = await repositoryRoot(resolve(io.cwd));
  if (root === null) throw new CommandError('experiment/no-repository', `${io.cwd} is in no git repository`, 'Go to the folder of the model\'s repository, or name a branch with --branch.');
  const main = dirname(await git(root, 'rev-parse', '--path-format=absolute', '--git-common-dir')); // of a linked working tree, the folder it is linked to
  const { repositories } = await api.get(Repositories, '/repositories');
  if (!repositories.some(({ url }) => [root, main].includes(url.replace(/^file:\/\//, '')))) throw new CommandError('experiment/elsewhere', `${root} is not where a registered repository is read from: workers cannot see its files`, 'Commit and push a branch, and name it with --branch.');

  const ref = `refs/perennial/experiments/${id}`;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-index-'));
  try {
    const index = join(folder, 'index');
    // The index knows which files did not change; a repository without one has every file read.
    await copyFile(await git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'index'), index).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; });
    await gitWith({ GIT_INDEX_FILE: index }, root, 'add', '--all');
    const tree = await gitWith({ GIT_INDEX_FILE: index }, root, 'write-tree');
    const commit = await gitWith(NOBODY, root, 'commit-tree', tree, '-p', 'HEAD', '-m', 'Working tree of an experiment');
    await git(root, 'update-ref', ref, commit);
    return { commit, forget: async () => { await git(root, 'update-ref', '-d', ref); } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
