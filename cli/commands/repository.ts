import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installCommitHook } from '../commit-hook.js';
import type { Context } from '../command.js';
import { CommandError, tell, UsageError } from '../errors.js';
import { git, repositoryRoot } from '../git.js';
import { plain, type Register } from '../register.js';
import { moment, table } from '../table.js';
import { AddedRepository, Anything, Intake, Repositories } from '../views.js';

/** How long the commit hook waits for the commit's run before it lets go. */
const HOOK_WAIT_MS = 20_000;

export const addRepositoryCommands: Register = (add, program) => {
  const repository = program.command('repository').description('repositories that models live in');
  add<[string, string], { branch: string[]; poll: string; hook: boolean }>(repository, 'add <name> <path-or-url>', 'register a repository; in a local one the commit hook is installed',
    (command) => command.option('--branch <name...>', 'branches whose commits count', ['main']).option('--poll <seconds>', 'how often the branches are looked at; 0: only hooks', '60').option('--no-hook', 'do not install the commit hook'),
    async (context, { branch, poll, hook }, name, where) => {
      const root = isLocal(where, context.io.cwd) ? await repositoryRoot(resolve(context.io.cwd, where.replace(/^file:\/\//, ''))) : null;
      if (root === null && isLocal(where, context.io.cwd)) throw new CommandError('repository/unreachable', `${where} is not a git repository`, 'Make it one: `git init`, then commit.');
      const added = await context.api.post(AddedRepository, '/repositories', { name, url: root ?? where, branches: branch, pollSeconds: Number(poll) });
      const installed = root !== null && hook ? await installCommitHook(root, name, context.config.home) : null;
      context.answer({ ...added, hook: { ...added.hook, url: `${context.api.url}${added.hook.path}` }, commitHook: installed && { file: installed.file, installed: installed.installed, kept: installed.kept } }, () => [
        `${context.paint.green('registered')}: ${name}, branches ${added.repository.branches.join(', ')} of ${added.repository.url}`,
        ...(installed?.installed ? [`commit hook: ${installed.file}${installed.kept ? ` (calls ${installed.kept} first)` : ''}`, 'next: git commit, in that repository'] : []),
        ...(installed && !installed.installed ? [`hooks of this repository are outside of it (${installed.file}): put this there by hand, or rely on polling`, installed.script] : []),
        ...(installed === null ? [`web hook for pushes: ${context.api.url}${added.hook.path}, content type application/json, secret in ${added.hook.secretFile}`] : []),
      ].join('\n'));
      return 0;
    });
  add(repository, 'list', 'registered repositories, and hooks that were refused', plain, async (context) => {
    const answer = await context.api.get(Repositories, '/repositories');
    context.answer(answer, () => [
      table(['REPOSITORY', 'BRANCHES', 'POLLED', 'ADDRESS'], answer.repositories.map((one) => [one.name, one.branches.join(', '), one.pollSeconds === 0 ? 'no' : `every ${one.pollSeconds} s`, one.url])),
      ...answer.refusedHooks.map((one) => context.paint.yellow(`${one.count} hooks refused (${one.reason}${one.repository ? `, ${one.repository}` : ''}), last ${moment(one.lastAt)}`)),
    ].join('\n'));
    return 0;
  });
  add<[string, string]>(repository, 'hook <name> <path>', 'install the commit hook in a local repository', plain, async (context, _options, name, path) => {
    const root = await repositoryRoot(resolve(context.io.cwd, path));
    if (root === null) throw new CommandError('repository/unreachable', `${path} is not a git repository`, 'Give the path of a working copy.');
    const installed = await installCommitHook(root, name, context.config.home);
    context.answer({ file: installed.file, installed: installed.installed, kept: installed.kept }, () => (installed.installed ? `commit hook: ${installed.file}` : `hooks of this repository are outside of it: put this into ${installed.file}\n${installed.script}`));
    return installed.installed ? 0 : 1;
  });

  const hook = program.command('hook').description('what git hooks call');
  add<[], { repository: string }>(hook, 'commit', 'tell of the present commit (the local commit hook calls this; it never fails)', (command) => command.requiredOption('--repository <name>', 'as registered'),
    async (context, options) => {
      try {
        await tellCommit(context, options.repository, context.io.cwd);
      } catch (error) {
        const { message, next } = tell(error);
        context.io.err(`perennial: the commit is made; Perennial was not told: ${message}\n  next: ${next}\n`);
      }
      return 0;
    });

  add<[string | undefined], { repository?: string }>(program, 'run [dir]', 'take in the present commit of a local repository, as its commit hook does', (command) => command.option('--repository <name>', 'as registered (found by its path unless given)'),
    async (context, options, dir = '.') => {
      const root = await repositoryRoot(resolve(context.io.cwd, dir));
      if (root === null) throw new UsageError(`${dir} is in no git repository`);
      const name = options.repository ?? (await context.api.get(Repositories, '/repositories')).repositories.find((one) => one.url === root || one.url === `file://${root}`)?.name;
      if (name === undefined) throw new CommandError('repository/unknown', `${root} is not registered`, `Register it: \`perennial repository add NAME ${root}\`.`);
      const intake = await tellCommit(context, name, root);
      return intake?.status === 'refused' ? 1 : 0;
    });
};

/** Sends the present commit, and waits a little for what becomes of it. */
async function tellCommit(context: Context, repository: string, folder: string): Promise<Intake | null> {
  const [commit, branch] = [await git(folder, 'rev-parse', 'HEAD'), await git(folder, 'rev-parse', '--abbrev-ref', 'HEAD')];
  if (branch === 'HEAD') {
    context.answer({ repository, commit, ignored: 'no branch' }, () => 'perennial: not on a branch, nothing is trained');
    return null;
  }
  const sent = await context.api.post(Anything, '/hooks/local', { repository, commit, branch });
  if (typeof sent['ignored'] === 'string') {
    const why = sent['ignored'];
    context.answer(sent, () => `perennial: nothing is trained: ${why}`);
    return null;
  }
  const intake = await waitForIntake(context, repository, commit);
  context.answer({ repository, commit, branch, ...intake }, () => intakeText(intake, repository, commit));
  return intake;
}

async function waitForIntake(context: Context, repository: string, commit: string): Promise<Intake> {
  const path = `/intakes/${encodeURIComponent(repository)}/${commit}`;
  let intake = await context.api.get(Intake, path);
  for (const until = Date.now() + HOOK_WAIT_MS; Date.now() < until; await sleep(250)) {
    intake = await context.api.get(Intake, path);
    if (intake.status === 'refused' || (intake.status === 'accepted' && intake.runs.length >= intake.models.length)) break;
  }
  return intake;
}

function intakeText(intake: Intake, repository: string, commit: string): string {
  if (intake.status === 'refused') return `perennial: commit ${commit.slice(0, 8)} trains nothing: ${intake.error?.code ?? ''} ${intake.error?.message ?? ''}\n  next: ${intake.error?.next ?? 'see `perennial runs`'}`;
  if (intake.runs.length > 0) return intake.runs.map(({ run }) => `run ${run} · follow: perennial show --follow ${run}`).join('\n');
  return `perennial: commit ${commit.slice(0, 8)} of ${repository} is being taken in · perennial runs`;
}

function isLocal(where: string, cwd: string): boolean {
  return where.startsWith('file://') || where.startsWith('/') || where.startsWith('.') || (!/^[a-z]+:\/\//.test(where) && !/^[^/]+@[^/]+:/.test(where) && existsSync(resolve(cwd, where)));
}
