import { PerennialError } from '../../contract/errors.js';
import { readJson } from '../../stores/json-objects.js';
import type { ActivityDeps } from '../deps.js';
import { requireRun } from '../lookup.js';
import { Candidate } from '../train/candidate.js';

export type TrainedBefore =
  | { readonly kind: 'new' }
  /** Trained elsewhere: its network is taken as it is. */
  | { readonly kind: 'imported'; readonly format: string }
  /** Trained, but no gate let it pass then: the same weights are judged again, by the gates of now. */
  | { readonly kind: 'candidate'; readonly run: string }
  | { readonly kind: 'policy-only'; readonly version: string }
  | { readonly kind: 'unchanged'; readonly version: string };

/** Whether a training happened before, and taking over what came of it. */
export function createTrainedRecord({ stores, artifacts }: Pick<ActivityDeps, 'stores' | 'artifacts'>) {
  return {
    /**
     * Whether this training already happened. A commit that leaves the training digest of the newest registered version is a
     * change of policy; any other reason trains unless the snapshot is the same too.
     */
    async trainedBefore({ model, run: id, snapshot }: { model: string; run: string; snapshot: string }): Promise<TrainedBefore> {
      const run = await requireRun(stores, id);
      const otherwise: TrainedBefore = run.reason.imported ? { kind: 'imported', format: run.reason.imported.format } : { kind: 'new' };
      if (run.reason.force) return otherwise;
      const same = await stores.runs.trainedBefore(model, run.trainingDigest, snapshot, id);
      if (same && same.version === null) return same.candidate ? { kind: 'candidate', run: same.run } : otherwise;
      const known = (await stores.versions.list(model)).filter((version) => version.run !== id && version.trainingDigest === run.trainingDigest);
      const newest = known.filter((version) => !['rejected', 'quarantined'].includes(version.status)).sort((a, b) => b.version - a.version)[0];
      const found = known.find((version) => version.version === same?.version) ?? (run.reason.kind === 'commit' ? newest : undefined);
      if (!found) return otherwise;
      const trainedBy = await requireRun(stores, found.run);
      return { kind: trainedBy.policyDigest === run.policyDigest ? 'unchanged' : 'policy-only', version: `${model}@${found.version} (${found.status})` };
    },

    /** Takes over what an earlier run trained from the same code and data. */
    async adoptCandidate({ run, from }: { run: string; from: string }): Promise<Candidate> {
      const { candidate } = await requireRun(stores, from);
      if (!candidate) throw new PerennialError('run/unknown', `run ${from} holds no candidate`);
      await stores.runs.setFields(run, { candidate });
      const curve = await stores.learningCurves.get(from);
      if (curve) await stores.learningCurves.save({ ...curve, subject: run });
      return Candidate.parse(await readJson(artifacts, candidate));
    },
  };
}
