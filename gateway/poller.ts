import { loadHeads } from './git-heads.js';
import { startIntake } from './intake.js';
import type { Services } from './services.js';

const TICK_MS = 1_000;
const GIT_MS = 20_000;

/**
 * Looks at the branches of registered repositories, each every `pollSeconds`, for commits that no hook told of. Safe beside hooks:
 * the intake's id is the commit. A head is noted after its intake was started, so that a crash between the two repeats it.
 */
export function createPoller(services: Services): { close(): Promise<void> } {
  const nextLook = new Map<string, number>();
  const looking = new Set<string>();
  const lastProblem = new Map<string, string>();
  let closed = false;
  let listed: { at: number; repositories: Awaited<ReturnType<Services['stores']['repositories']['list']>> } = { at: 0, repositories: [] };

  const look = async (repository: { name: string; url: string; branches: string[] }): Promise<void> => {
    const [heads, known] = await Promise.all([loadHeads(repository.url, repository.branches, GIT_MS), services.stores.repositories.heads(repository.name)]);
    for (const [branch, commit] of heads) {
      if (closed || known.some((head) => head.branch === branch && head.commit === commit)) continue;
      await startIntake(services, { repository: repository.name, commit, branch, via: 'poll' });
      await services.stores.repositories.setHead(repository.name, branch, commit);
    }
  };

  const report = (name: string, problem: string): void => {
    if (lastProblem.get(name) !== problem) services.log('a branch could not be looked at', { repository: name, problem });
    lastProblem.set(name, problem);
  };

  const tick = async (): Promise<void> => {
    if (Date.now() - listed.at > 5_000) listed = { at: Date.now(), repositories: await services.stores.repositories.list() };
    for (const repository of listed.repositories) {
      if (repository.pollSeconds === 0 || looking.has(repository.name) || Date.now() < (nextLook.get(repository.name) ?? 0)) continue;
      looking.add(repository.name);
      look(repository)
        .then(() => lastProblem.delete(repository.name), (error: unknown) => { report(repository.name, error instanceof Error ? error.message : String(error)); })
        .finally(() => {
          looking.delete(repository.name);
          nextLook.set(repository.name, Date.now() + repository.pollSeconds * 1000);
        });
    }
  };

  const timer = setInterval(() => { tick().catch((error: unknown) => { report('*', String(error)); }); }, TICK_MS);
  return {
    async close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
