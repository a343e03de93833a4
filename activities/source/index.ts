import { rm } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import { PerennialError } from '../../contract/errors.js';
import type { RunError } from '../../contract/run.js';
import type { ModelDefinition } from '../../definition/model.js';
import { viewIssues } from '../../definition/view-use.js';
import { tighten } from '../../domain/policy.js';
import { listDefinitions } from '../../runtime/definition/find.js';
import { readDefinitionFile } from '../../runtime/definition/read.js';
import type { ReadView } from '../../runtime/definition/read.js';
import type { StoredView } from '../../stores/feature-views.js';
import { createOutboxMail } from '../notify/outbox-mail.js';
import { requireFittingSets } from '../data/frozen/open.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { checkOut } from './git.js';
import { createRemovedModels } from './removed-models.js';
import { runRepositoryTests } from './tests.js';

export interface CommitRequest { readonly repository: string; readonly commit: string; readonly branch: string; readonly via: 'hook' | 'local' | 'poll' }
/** A commit and those before it. */
interface Descent { readonly repository: string; readonly commit: string; readonly ancestors: readonly string[] }
export type SourceActivities = ReturnType<typeof createSourceActivities>;

/** From a commit to the definitions it holds. Everything is named by the commit or by content, so a second try writes the same rows and blobs. */
export function createSourceActivities(deps: ActivityDeps) {
  const { stores, artifacts, scratch } = deps;
  const removedModels = createRemovedModels(deps);
  return {
    readCommit: ({ repository, commit, branch }: CommitRequest): Promise<{ models: string[]; views: string[]; ancestors: string[] }> => heartbeating(async (signal) => {
      const registered = await stores.repositories.get(repository);
      if (!registered) throw new PerennialError('repository/unknown', `repository ${repository} is not registered`);
      await stores.models.startIntake({ repository, commit, branch, committer: { name: '', email: '' }, message: '' });
      const found = await checkOut({ scratch, repository, url: registered.url, commit, branch, signal });
      await stores.models.describeIntake({ repository, commit, committer: found.committer, message: found.message, committedAt: found.committedAt });

      const files = await listDefinitions(found.directory);
      const of: Descent = { repository, commit, ancestors: found.ancestors };
      // A commit that takes away the last model of its branch says something; one that never had any is a mistake.
      const isLast = files.length === 0 && (await removedModels.missing({ ...of, branch, isNewerThan: (other) => isNewer(of, other) }, () => Promise.resolve(false))).length > 0;
      if (files.length === 0 && !isLast) throw new PerennialError('definition/missing', `commit ${commit.slice(0, 12)} of ${repository} holds no definition: no \`perennial.ts\`, \`*.model.ts\` or \`*.view.ts\` at any depth`);
      await runRepositoryTests({ checkout: found.directory, signal });

      const read = [];
      for (const file of files) read.push(await readDefinitionFile({ checkout: found.directory, file, signal }));
      const [viewsRead, modelsRead] = [read.flatMap((one) => one.views), read.flatMap((one) => one.models)];
      const removed = (await olderViews({ repository, commit, branch, ancestors: found.ancestors })).filter(({ view }) => !viewsRead.some((one) => one.view.name === view));
      await refuseRemoved(removed, { repository, commit, models: modelsRead.map(({ definition }) => definition.name) });
      const views = await keepViews(viewsRead, { repository, commit });
      const models: string[] = [];
      for (const { file, definition, trainingDigest, policyDigest, bundle, networkBundle } of modelsRead) {
        await checkAgainstPolicy(definition);
        await checkViews(definition, file, viewsRead, removed);
        const owner = await stores.models.get(definition.name);
        if (owner && owner.repository !== repository) throw new PerennialError('definition/invalid', `name: ${definition.name} belongs to repository ${owner.repository}; a model lives in one repository`);
        await stores.models.ensure({ name: definition.name, repository, path: file, owner: definition.owner, purpose: definition.purpose });
        await stores.models.saveDefinition({
          model: definition.name, repository, commit, path: file, trainingDigest, policyDigest, definition,
          bundle: await artifacts.putBlob(bundle.code), networkBundle: networkBundle ? await artifacts.putBlob(networkBundle.code) : null,
        });
        models.push(definition.name);
      }
      await restoreModels(models, of); // before the governors are asked, who would refuse
      await rm(found.directory, { recursive: true, force: true });
      return { models, views, ancestors: found.ancestors };
    }),

    /**
     * What the commit defines comes into force, unless a newer commit is in force already; views that the newest commit does not hold are in force no
     * longer, and models that it does not hold are not trained by themselves any more. `ended`: all views of the repository that are not, so that a second try tells the first one's, too; nothing from a worker that is older than this.
     */
    async acceptCommit({ repository, commit, models, views = [], ancestors }: { repository: string; commit: string; models: string[]; views?: string[]; ancestors: string[] }): Promise<{ ended: string[] } | undefined> {
      for (const model of models) await putInForce({ repository, commit, ancestors }, { current: () => stores.models.currentDefinition(model), set: (instead) => stores.models.setCurrent(model, commit, { instead }) });
      for (const view of views) await putInForce({ repository, commit, ancestors }, { current: () => stores.featureViews.current(view), set: (instead) => stores.featureViews.setCurrent(view, commit, { instead }) });
      await stores.models.finishIntake({ repository, commit, status: 'accepted', models, error: null });
      // Not before it counts as accepted: of two intakes at once, the one that ends later sees both.
      await restoreModels(models, { repository, commit, ancestors }); // an intake that ended meanwhile may have missed them
      await endRemoved({ repository, commit, ancestors });
      return { ended: await stores.featureViews.ended(repository) };
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

  /** Intakes of several commits may end in any order and at once: each looks again when another one came between. */
  async function putInForce(of: Descent, { current, set }: { current: () => Promise<{ readonly commit: string } | null>; set: (instead: string | null) => Promise<boolean> }): Promise<void> {
    for (let done = false; !done;) {
      const present = await current();
      done = present !== null && !(await isNewer(of, present.commit)) || await set(present?.commit ?? null);
    }
  }

  /** The newer commit is the one that comes after the other; where neither is known to, the later by its committer's clock. */
  async function isNewer({ repository, commit, ancestors }: Descent, present: string): Promise<boolean> {
    if (ancestors.includes(present)) return true;
    const [intake, before] = [await stores.models.getIntake(repository, commit), await stores.models.getIntake(repository, present)];
    return !intake?.committedAt || !before?.committedAt || Date.parse(intake.committedAt) > Date.parse(before.committedAt);
  }

  /** Views that are in force by an older commit of the same branch. */
  async function olderViews(of: Descent & { readonly branch: string }): Promise<StoredView[]> {
    const older = [];
    for (const view of (await stores.featureViews.list()).filter((one) => one.repository === of.repository && one.commit !== of.commit)) {
      const intake = await stores.models.getIntake(of.repository, view.commit);
      if (intake?.branch === of.branch && await isNewer(of, view.commit)) older.push(view);
    }
    return older;
  }

  /** A view whose columns a model goes on taking cannot go: the model's next training would find no rows, and its predictions none that are fresh. */
  async function refuseRemoved(removed: readonly StoredView[], { repository, commit, models }: { readonly repository: string; readonly commit: string; readonly models: readonly string[] }): Promise<void> {
    for (const { view, path } of removed) {
      const users = (await stores.featureViews.namedBy(view)).filter((user) => user.repository !== repository || !models.includes(user.model));
      if (users.length === 0) continue;
      const named = users.map((user) => `${user.model} (commit ${user.commit.slice(0, 12)} of ${user.repository})`).join(', ');
      throw new PerennialError('features/in-use', `commit ${commit.slice(0, 12)} of ${repository} does not hold the feature view ${view} any more (it was in ${path}); its columns are taken by ${named}`, { view, models: users.map(({ model }) => model) });
    }
  }

  async function restoreModels(models: readonly string[], of: Descent): Promise<void> {
    for (const model of models) await removedModels.restore(model, { ...of, isNewerThan: (other) => isNewer(of, other) });
  }

  /** Whichever commit this intake was of: the newest of its branch decides. */
  async function endRemoved({ repository, commit, ancestors }: Descent): Promise<void> {
    const branch = (await stores.models.getIntake(repository, commit))?.branch ?? '';
    const newest = await stores.models.newestAccepted(repository, branch);
    const isThis = !newest || newest.commit === commit || ancestors.includes(newest.commit);
    const by = isThis ? { repository, commit, branch, ancestors } : { repository, commit: newest.commit, branch, ancestors: [] };
    for (const view of await olderViews(by)) {
      const isHeld = await stores.featureViews.definition(view.view, by.commit) !== null;
      if (!isHeld && (await stores.featureViews.namedBy(view.view)).length === 0) await stores.featureViews.end(view.view, view.commit);
    }
    await removedModels.remove({ ...by, isNewerThan: (other) => isNewer(by, other) });
  }

  /** Holds the views that a model names against those of its own commit and the others that stay in force. */
  async function checkViews({ data }: ModelDefinition, file: string, ofCommit: readonly ReadView[], removed: readonly StoredView[]): Promise<void> {
    if (data.kind !== 'table' || data.views === undefined) return;
    const issues: string[] = [];
    const others = (await stores.featureViews.list()).filter(({ view }) => !removed.some((one) => one.view === view));
    for (const [index, use] of data.views.entries()) {
      const view = ofCommit.find((one) => one.view.name === use.view)?.view ?? others.find((one) => one.view === use.view)?.definition ?? null;
      const known = view ? [] : [...new Set([...ofCommit.map((one) => one.view.name), ...others.map((one) => one.view)])];
      issues.push(...viewIssues(index, use, view, data.columns, known));
    }
    if (issues.length > 0) throw new PerennialError('definition/invalid', `${file}:\n${issues.map((issue) => `  ${issue}`).join('\n')}`, { file, issues });
  }

  /** Keeps the feature views of a commit. Returns their names. */
  async function keepViews(views: readonly ReadView[], { repository, commit }: { repository: string; commit: string }): Promise<string[]> {
    const twice = views.find(({ view }, index) => views.findIndex((other) => other.view.name === view.name) < index);
    if (twice) throw new PerennialError('definition/invalid', `${twice.file}: name: another feature view of this commit is called ${twice.view.name}`, { view: twice.view.name });
    for (const { view, digest, file, bundle } of views) {
      await stores.featureViews.ensure({ view, repository, path: file });
      await stores.featureViews.saveDefinition({ view: view.name, repository, commit, path: file, digest, definition: view, bundle: await artifacts.putBlob(bundle.code) });
    }
    return views.map(({ view }) => view.name);
  }

  async function checkAgainstPolicy(definition: ModelDefinition): Promise<void> {
    const environment = await stores.environments.get(definition.release.environment);
    if (!environment) throw new PerennialError('definition/invalid', `release.environment: ${definition.release.environment} does not exist here`);
    const tightened = tighten(environment.policy, definition);
    if (!tightened.ok) throw new PerennialError('definition/weakens-policy', tightened.problems.join('; '));
    await requireFittingSets(deps, definition);
    Context.current().heartbeat();
  }
}
