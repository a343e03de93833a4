import type { Model } from '../../stores/models.js';
import type { ActivityDeps } from '../deps.js';
import { createOutboxMail } from '../notify/outbox-mail.js';

/** A commit that stands for its branch, and how it is told whether it comes after another. */
export interface NewestCommit { readonly repository: string; readonly commit: string; readonly branch: string; readonly isNewerThan: (commit: string) => Promise<boolean> }

/**
 * Models whose file left their repository, and came back. What is in force stays so and goes on serving: only an operator ends a release. But nothing is
 * trained of it by itself. Each change is one statement that says whether it changed anything; what tells of it has an id of its own, so running twice tells once.
 */
export function createRemovedModels(deps: ActivityDeps) {
  const { stores } = deps;

  /** Models that are in force by an older commit of the same branch and that this commit does not hold. */
  async function missing({ repository, commit, branch, isNewerThan }: NewestCommit, isHeld: (model: string) => Promise<boolean>): Promise<Model[]> {
    const found = [];
    for (const model of await stores.models.list()) {
      if (model.repository !== repository || model.currentCommit === null || model.currentCommit === commit) continue;
      const intake = await stores.models.getIntake(repository, model.currentCommit);
      if (intake?.branch === branch && await isNewerThan(model.currentCommit) && !(await isHeld(model.name))) found.push(model);
    }
    return found;
  }

  return {
    missing,

    /** Pauses the training of each model that this commit does not hold, and tells its owner. */
    async remove(newest: NewestCommit): Promise<void> {
      for (const model of await missing(newest, async (name) => await stores.models.definition(name, newest.commit) !== null)) {
        if (model.removed && model.removed.commit !== newest.commit) continue; // told of before
        await stores.models.setRemoved(model.name, newest.commit, { current: model.currentCommit });
        await tell(model, newest.commit);
      }
    },

    /** The file of a removed model is there again, in a commit that comes after the one without it. */
    async restore(name: string, { repository, commit, isNewerThan }: Omit<NewestCommit, 'branch'>): Promise<void> {
      const model = await stores.models.get(name);
      if (!model?.removed || (model.removed.commit !== commit && !(await isNewerThan(model.removed.commit)))) return;
      await stores.ledger.append({ chain: `${name}/runs`, eventId: `restored/${model.removed.commit}/${commit}`, actor: repository, action: 'model-restored', subject: { commit, removedBy: model.removed.commit }, at: new Date().toISOString() });
      await stores.models.setRemoved(name, null, { current: model.currentCommit });
    },
  };

  async function tell({ name, repository, path, owner, currentCommit }: Model, commit: string): Promise<void> {
    await stores.ledger.append({ chain: `${name}/runs`, eventId: `removed/${commit}`, actor: repository, action: 'model-removed', subject: { commit, inForce: currentCommit, path }, at: new Date().toISOString() });
    await createOutboxMail(deps).enqueue({
      id: `removed/${name}/${commit}`, to: [owner.email], subject: `${name}: its file is gone from ${repository}`,
      text: [
        `Commit ${commit} of ${repository} does not hold the model ${name} any more (it was in ${path}).`, '',
        'What serves goes on serving, by the definition that is in force. Nothing is trained of it by schedule, decay or commit until the file is back.', '',
        'What to do: put the file back if it went by mistake. Otherwise an operator decides what serves in its place.', '',
      ].join('\n'),
    });
  }
}
