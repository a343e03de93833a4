import { PerennialError } from '../../contract/errors.js';
import { FULL } from '../../domain/compression.js';
import { tighten } from '../../domain/policy.js';
import { withWorkspace } from '../data/workspace.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { requireDefinition, requireRun } from '../lookup.js';
import type { Candidate } from '../train/candidate.js';
import { requirePossible, requireVariant } from './made.js';
import type { Made } from './made.js';
import { judgeVariants } from './judge.js';
import { quantizeCandidate } from './quantize.js';

export interface VariantRequest { readonly model: string; readonly run: string; readonly full: Candidate; readonly variant: string }
export interface ChoiceRequest { readonly model: string; readonly run: string; readonly snapshot: string; readonly full: Candidate; readonly made: readonly Made[] }
export type CompressActivities = ReturnType<typeof createCompressActivities>;

/** Smaller forms of a trained network, and the choice among them. What is made is named by its content; the first choice of a run stays. */
export function createCompressActivities(deps: ActivityDeps) {
  const { stores, artifacts, scratch } = deps;
  return {
    quantizeVariant: ({ model, run: id, full, variant: name }: VariantRequest): Promise<Candidate> => heartbeating(async () => {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, model, run.commit);
      const form = requireVariant(definition.compression, name);
      if (typeof form !== 'string') throw new TypeError(`${name} takes a training`);
      requirePossible(form, run.reason.imported);
      return quantizeCandidate(artifacts, full, form);
    }),

    /** Latencies differ from try to try, so a second one must not choose again: what was written first counts. */
    chooseVariant: ({ model, run: id, snapshot: digest, full, made }: ChoiceRequest): Promise<{ candidate: Candidate; name: string; because: string }> => heartbeating((signal) => withWorkspace(scratch, 'variants', async (directory) => {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, model, run.commit);
      const known = (await stores.evaluations.get(id, 'compression'))?.report;
      const policy = (await stores.environments.get(definition.release.environment))?.policy;
      const tightened = policy ? tighten(policy, definition) : null;
      if (!tightened?.ok) throw new PerennialError('definition/weakens-policy', tightened ? tightened.problems.join('; ') : `environment ${definition.release.environment} does not exist`);
      const report = known ?? await judgeVariants(deps, { definition, gates: tightened.effective.gates, snapshot: await openSnapshot(deps, digest, signal), full, made, directory, signal });
      if (!known) await stores.evaluations.save({ run: id, kind: 'compression', version: null, report, ref: null });
      for (const { name, verdict, reason } of report.variants) {
        if (name !== FULL) await stores.runs.appendEvent({ run: id, eventId: `variant-${name}`, at: new Date().toISOString(), kind: 'note', step: 'compress', message: `${name}: ${verdict === 'pass' ? '' : 'not taken, '}${reason}`, data: { name, verdict } });
      }
      const chosen = made.find(({ name }) => name === report.chosen);
      return { candidate: chosen && 'candidate' in chosen ? chosen.candidate : full, name: report.chosen, because: report.because };
    })),
  };
}
