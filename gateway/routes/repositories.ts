import { z } from 'zod';
import { RepositoryBody, RepositoryName } from '../../contract/api/requests.js';
import { PerennialError } from '../../contract/errors.js';
import { Commit } from '../../contract/ref.js';
import { ensureHookSecret, hookSecretFile } from '../hook-secret.js';
import { defineRoute, READERS } from '../http/route.js';

export const listRepositories = defineRoute({
  method: 'GET', path: '/repositories', summary: 'Registered repositories, and hooks that were refused', access: READERS,
  async handle({ services: { stores } }) {
    const repositories = await stores.repositories.list();
    const heads = await Promise.all(repositories.map((repository) => stores.repositories.heads(repository.name)));
    return { repositories: repositories.map((repository, index) => ({ ...repository, heads: heads[index] })), refusedHooks: await stores.hooks.refusals() };
  },
});

/** Answers the hook's secret: whoever may register a repository has to enter it on the other side. */
export const addRepository = defineRoute({
  method: 'POST', path: '/repositories', summary: 'Register a repository (again with the same address: nothing changes)', access: ['operator'], status: 201, body: RepositoryBody,
  async handle({ body, caller, services: { stores, config } }) {
    const existing = await stores.repositories.get(body.name);
    if (existing && existing.url !== body.url) throw new PerennialError('request/invalid', `body.name: a repository ${body.name} is registered with another address, ${existing.url}`);
    await stores.repositories.add({ name: body.name, url: body.url, branches: body.branches, pollSeconds: body.pollSeconds, by: caller.principal });
    const secret = await ensureHookSecret(config.secretsDir, body.name);
    return { repository: await stores.repositories.get(body.name), hook: { path: `/api/v1/hooks/git?repository=${encodeURIComponent(body.name)}`, secret, secretFile: hookSecretFile(config.secretsDir, body.name) } };
  },
});

/** How far the intake of a commit is, and the runs it caused. `unknown`: not seen, or its first step has not begun. */
export const getIntake = defineRoute({
  method: 'GET', path: '/intakes/:repository/:commit', summary: 'What became of a commit', access: READERS,
  params: z.strictObject({ repository: RepositoryName, commit: Commit }),
  async handle({ params: { repository, commit }, services: { stores } }) {
    const intake = await stores.models.getIntake(repository, commit);
    if (!intake) return { repository, commit, status: 'unknown', models: [], runs: [], error: null };
    const runs = await Promise.all(intake.models.map(async (model) => (await stores.runs.list({ model, limit: 100 })).filter((run) => run.commit === commit && run.reason.kind === 'commit')));
    return { ...intake, runs: runs.flat().map((run) => ({ model: run.model, run: run.id, status: run.status })) };
  },
});
