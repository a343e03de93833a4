import { rm } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import { PerennialError } from '../../contract/errors.js';
import type { RunError } from '../../contract/run.js';
import type { ModelDefinition } from '../../definition/model.js';
import { tighten } from '../../domain/policy.js';
import { findDefinitions } from '../../runtime/definition/find.js';
import { readDefinitions } from '../../runtime/definition/read.js';
import { createOutboxMail } from '../notify/outbox-mail.js';
import { requireFittingSets } from '../data/frozen/open.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { checkOut } from './git.js';
import { runRepositoryTests } from './tests.js';

export interface CommitRequest { readonly repository: string; readonly commit: string; readonly branch: string; readonly via: 'hook' | 'local' | 'poll' }
export type SourceActivities = ReturnType<typeof createSourceActivities>;

/** From a commit to the definitions it holds. Everything is named by the commit or by content, so a second try writes the same rows and blobs. */
export function createSourceActivities(deps: ActivityDeps) {
  const { stores, artifacts, scratch } = deps;
  return {
    readCommit: ({ repository, commit, branch }: CommitRequest): Promise<{ models: string[]; ancestors: string[] }> => heartbeating(async (signal) => {
      const registered = await stores.repositories.get(repository);
      if (!registered) throw new PerennialError('repository/unknown', `repository ${repository} is not registered`);
      await stores.models.startIntake({ repository, commit, branch, committer: { name: '', email: '' }, message: '' });
      const found = await checkOut({ scratch, repository, url: registered.url, commit, branch, signal });
      await stores.models.describeIntake({ repository, commit, committer: found.committer, message: found.message, committedAt: found.committedAt });

      const files = await findDefinitions(found.directory);
      if (files.length === 0) throw new PerennialError('definition/missing', `commit ${commit.slice(0, 12)} of ${repository} holds no definition`);
      await runRepositoryTests({ checkout: found.directory, signal });

      const models: string[] = [];
      for (const file of files) {
        for (const { definition, trainingDigest, policyDigest, bundle, networkBundle } of await readDefinitions({ checkout: found.directory, file, signal })) {
          await checkAgainstPolicy(definition);
          const owner = await stores.models.get(definition.name);
          if (owner && owner.repository !== repository) throw new PerennialError('definition/invalid', `name: ${definition.name} belongs to repository ${owner.repository}; a model lives in one repository`);
          await stores.models.ensure({ name: definition.name, repository, path: file, owner: definition.owner, purpose: definition.purpose });
          await stores.models.saveDefinition({
            model: definition.name, repository, commit, path: file, trainingDigest, policyDigest, definition,
            bundle: await artifacts.putBlob(bundle.code), networkBundle: networkBundle ? await artifacts.putBlob(networkBundle.code) : null,
          });
          models.push(definition.name);
        }
      }
      await rm(found.directory, { recursive: true, force: true });
      return { models, ancestors: found.ancestors };
    }),

    /** The newest commit by its own clock is current, whichever intake ends last; within one second, the one that comes after the other. */
    async acceptCommit({ repository, commit, models, ancestors }: { repository: string; commit: string; models: string[]; ancestors: string[] }): Promise<void> {
      const intake = await stores.models.getIntake(repository, commit);
      for (const model of models) {
        const current = await stores.models.currentDefinition(model);
        const before = current ? await stores.models.getIntake(repository, current.commit) : null;
        const later = before?.committedAt && intake?.committedAt ? Date.parse(intake.committedAt) - Date.parse(before.committedAt) : null;
        if (later !== null && (later < 0 || (later === 0 && !ancestors.includes(current?.commit ?? '')))) continue;
        await stores.models.setCurrent(model, commit);
      }
      await stores.models.finishIntake({ repository, commit, status: 'accepted', models, error: null });
    },

    async refuseCommit({ repository, commit, error }: { repository: string; commit: string; error: RunError }): Promise<void> {
      await stores.models.finishIntake({ repository, commit, status: 'refused', models: [], error });
      const intake = await stores.models.getIntake(repository, commit);
      if (!intake?.committer.email) return;
      await createOutboxMail(deps).enqueue({
        id: `intake/${repository}/${commit}`, to: [intake.committer.email], subject: `${repository}: commit ${commit.slice(0, 12)} was not accepted`,
        text: [`Commit ${commit} on ${intake.branch} of ${repository} trains nothing:`, '', error.message, '', `What to do: ${error.next}`, ''].join('\n'),
      });
    },
  };

  async function checkAgainstPolicy(definition: ModelDefinition): Promise<void> {
    const environment = await stores.environments.get(definition.release.environment);
    if (!environment) throw new PerennialError('definition/invalid', `release.environment: ${definition.release.environment} does not exist here`);
    const tightened = tighten(environment.policy, definition);
    if (!tightened.ok) throw new PerennialError('definition/weakens-policy', tightened.problems.join('; '));
    await requireFittingSets(deps, definition);
    Context.current().heartbeat();
  }
}
