import { digestOf } from '../../domain/digest.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { attemptName } from '../train/attempt.js';
import { Candidate } from '../train/candidate.js';
import { discardCheckpoints } from '../train/checkpoints.js';
import { createProgressLog } from '../train/progress.js';
import { networkFiles, requirePossible, requireVariant } from './made.js';
import { trainVariant } from './train.js';
import type { VariantRequest } from './index.js';

export type VariantTrainingActivities = ReturnType<typeof createVariantTrainingActivities>;

/**
 * Trains smaller forms of a network. What is made is kept under a digest of all that made it, where a second try and another run that trained
 * the same find it; before that, a try goes on from the newest checkpoint.
 */
export function createVariantTrainingActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;
  return {
    async trainVariant({ model, run: id, snapshot, full, variant: name }: VariantRequest & { readonly snapshot: string }): Promise<Candidate> {
      const run = await requireRun(stores, id);
      const { definition, networkBundle } = await requireDefinition(stores, model, run.commit);
      const variant = requireVariant(definition.compression, name);
      if (typeof variant === 'string') throw new TypeError(`${name} is not trained`);
      requirePossible(variant, run.reason.imported);
      const made = `variants/${digestOf({ full: networkFiles(full).map(({ ref }) => ref.sha256), variant, snapshot, training: definition.training, networkBundle: networkBundle?.sha256 ?? null })}.json`;
      const key = `${id}/variants/${name}`;
      if ((await artifacts.list(made)).length === 0) {
        const progress = createProgressLog({ stores, run: id, step: 'compress', attempt: `${name}-${attemptName('full')}`, of: `${name}: ` });
        try {
          const candidate = await trainVariant(deps, {
            key, definition, networkBundle, full, variant, openSnapshot: (signal) => openSnapshot(deps, snapshot, signal), onProgress: (seen) => { progress.seen(seen); }, onNote: (message) => progress.note(message),
          });
          await artifacts.putAt(made, new TextEncoder().encode(JSON.stringify(candidate)), { contentType: 'application/json' });
        } finally {
          await progress.flush();
        }
      }
      await discardCheckpoints(artifacts, key);
      return Candidate.parse(JSON.parse(new TextDecoder().decode(await artifacts.getAt(made))));
    },
  };
}
