import { patched } from '@temporalio/workflow';
import { notify, source } from './support/activities.js';
import { toRunError } from './support/failure.js';

export interface IntakeInput { readonly v: 1; readonly repository: string; readonly commit: string; readonly branch: string; readonly via: 'hook' | 'local' | 'poll' }

/** A commit arrives: read what it says about its models and feature views, tell each governor, and keep the views up to date; or tell the committer what is wrong. */
export async function intake({ repository, commit, branch, via }: IntakeInput): Promise<{ accepted: boolean; models: string[] }> {
  try {
    const { models, views = [], ancestors } = await source.readCommit({ repository, commit, branch, via });
    await Promise.all(models.map((model) => notify.askGovernor({
      model,
      request: { v: 1, id: `commit/${commit}`, cause: `commit/${commit}`, commit, ancestors, reason: { kind: 'commit', detail: `commit ${commit.slice(0, 12)} on ${branch}`, by: repository, force: false } },
    })));
    const accepted = await source.acceptCommit({ repository, commit, models, views, ancestors });
    const ended = patched('views-end') ? accepted?.ended ?? [] : [];
    await Promise.all([...new Set([...views, ...ended])].map((view) => notify.keepMaterialising({ view })));
    return { accepted: true, models };
  } catch (error) {
    await source.refuseCommit({ repository, commit, error: toRunError(error) });
    return { accepted: false, models: [] };
  }
}
