import type { RunError } from '../../contract/run.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { createOutboxMail } from '../notify/outbox-mail.js';
import { materialiseView } from './materialise.js';
import type { Materialised, MaterialiseProgress, MaterialiseRequest } from './materialise.js';

export type { Materialised } from './materialise.js';
export type FeatureActivities = ReturnType<typeof createFeatureActivities>;

/** Materialising feature views. */
export function createFeatureActivities(deps: ActivityDeps) {
  return {
    /** Safe to run twice: rows that are stored are not new again, files are named by their content, and older rows never replace newer ones. */
    async materialiseView(request: MaterialiseRequest): Promise<Materialised> {
      const progress: MaterialiseProgress = { read: 0 };
      return heartbeating((signal) => materialiseView(deps, request, signal, progress), () => ({ ...progress }));
    },

    /** Notes the failure, and writes to the owner: one mail, until a materialisation comes to its end again. */
    failMaterialisation: ({ view, id, error }: { view: string; id: string; error: RunError }): Promise<void> => heartbeating(async () => {
      const { stores } = deps;
      await stores.featureStores.fail({ view, id, error });
      const current = await stores.featureViews.current(view);
      if (!current) return;
      const [failed] = (await stores.featureStores.run(view, id)).filter(({ status }) => status === 'failed');
      const digest = failed?.digest ?? current.digest;
      const asOf = (await stores.featureStores.get(view, digest))?.asOf ?? null;
      await createOutboxMail(deps).enqueue({
        id: `features/${view}/${current.commit}/${digest.slice(0, 12)}/${asOf ?? 'never'}`, to: [current.definition.owner.email], subject: `${view}: the feature view is not up to date`,
        text: [`A materialisation of ${view} failed. ${asOf === null ? 'It has never come to its end.' : `What is stored of it is as of ${asOf}.`}`, '', error.message, '', `What to do: ${error.next}`, '', `perennial features ${view}`, ''].join('\n'),
      });
    }),
  };
}
