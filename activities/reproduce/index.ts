import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EvaluationReport } from '../../contract/evaluation.js';
import { EnvironmentLock } from '../../contract/package.js';
import type { ReproductionReport } from '../../contract/reproduction.js';
import type { RunError } from '../../contract/run.js';
import { digestOf } from '../../domain/digest.js';
import { figuresOf } from '../../domain/figures.js';
import { judgeReproduction } from '../../domain/reproduction.js';
import { compareWeights } from '../../domain/weights.js';
import { openSnapshot } from '../data/open-snapshot.js';
import { quantizeCandidate } from '../compress/quantize.js';
import { trainVariant } from '../compress/train.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import { evaluateModel, reportOf } from '../evaluate/evaluate-model.js';
import { heartbeating } from '../heartbeat.js';
import { putJson, readJson } from '../../stores/json-objects.js';
import { requireDefinition, requireVersion } from '../lookup.js';
import { fetchPackage } from '../package/fetch-package.js';
import { storeModel, trainAttempt } from '../train/attempt.js';
import { fetchCandidate } from '../train/fetch-candidate.js';
import { discardCheckpoints } from '../train/checkpoints.js';
import { loadWeights } from './rebuilt-files.js';
import { createRebuildProgress } from './progress.js';
import { Rebuilt } from './rebuilt.js';
import { readStored } from './stored.js';

export interface ReproductionRequest { readonly model: string; readonly version: number; readonly id: string }
export type ReproduceRecordActivities = ReturnType<typeof createReproduceRecordActivities>;
export type RebuildActivities = ReturnType<typeof createRebuildActivities>;
export type JudgeReproductionActivities = ReturnType<typeof createJudgeReproductionActivities>;

const checkpointsKey = (id: string) => `reproduction-${id}`;
/** Apart from the other: a second try takes up the checkpoints of either training. */
const variantKey = (id: string) => `reproduction-variant-${id}`;

/** What is asked, and that it could not be done. A repetition changes nothing. */
export function createReproduceRecordActivities({ stores, artifacts }: ActivityDeps) {
  return {
    async planReproduction({ model, version, id, by, tolerance }: ReproductionRequest & { readonly by: string; readonly tolerance: number | null }): Promise<void> {
      await requireVersion(stores, model, version);
      await stores.reproductions.create({ id, model, version, by, tolerance });
    },
    async failReproduction({ id, error }: { id: string; error: RunError }): Promise<void> {
      await stores.reproductions.fail(id, error);
      for (const key of [checkpointsKey(id), variantKey(id)]) await discardCheckpoints(artifacts, key); // nobody goes on from them
    },
  };
}

/** Trains a version's stored code on its stored rows once more. A second try finds what the first one made, or its newest checkpoint. */
export function createRebuildActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;
  return {
    async rebuild({ model, version: number, id }: ReproductionRequest): Promise<void> {
      if ((await stores.reproductions.get(id))?.rebuilt) return;
      const version = await requireVersion(stores, model, number);
      const { definition, trainingDigest, networkBundle, variant } = await readStored(deps, version);
      const key = checkpointsKey(id);
      const progress = createRebuildProgress(stores, id);
      const { used: trained, history, parameters } = await trainAttempt(deps, {
        key, definition, networkBundle, openSnapshot: (signal) => openSnapshot(deps, version.snapshot, signal), mode: 'full', use: storeModel(deps),
        onProgress: (seen) => { progress.seen(seen); }, onNote: () => Promise.resolve(),
      });
      const full = { files: trained };
      const { files } = variant === null ? full : typeof variant === 'string' ? await quantizeCandidate(artifacts, full, variant) : await trainVariant(deps, {
        key: variantKey(id), definition, networkBundle, full, variant, openSnapshot: (signal) => openSnapshot(deps, version.snapshot, signal),
        onProgress: (seen) => { progress.seen(seen); }, onNote: () => Promise.resolve(),
      });
      await stores.learningCurves.save({ subject: `reproduction/${id}`, epochs: history, parameters });
      await stores.reproductions.setRebuilt(id, await putJson(artifacts, { files, trainingDigest } satisfies Rebuilt));
      for (const used of [key, variantKey(id)]) await discardCheckpoints(artifacts, used);
    },
  };
}

/** Holds what was built again against the package. It reads what is immutable and writes its verdict once. */
export function createJudgeReproductionActivities(deps: ActivityDeps) {
  const { stores, artifacts } = deps;
  return {
    judgeReproduction: ({ model, version: number, id }: ReproductionRequest): Promise<Pick<ReproductionReport, 'verdict'>> => heartbeating(async (signal) => {
      const asked = await stores.reproductions.get(id);
      if (!asked?.rebuilt) throw new Error(`reproduction ${id} was not built`);
      const version = await requireVersion(stores, model, number);
      const { definition } = await requireDefinition(stores, model, version.commit);
      const rebuilt = Rebuilt.parse(await readJson(artifacts, asked.rebuilt));
      const before = await fetchPackage(deps, version);
      const report = await withWorkspace(deps.scratch, 'reproductions', async (after) => {
        await fetchCandidate(artifacts, rebuilt, after);
        const snapshot = await openSnapshot(deps, version.snapshot, signal);
        const evaluated = reportOf(await evaluateModel({ deps, directory: after, snapshot, signal }), definition, version.snapshot);
        const json = async (folder: string, name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, name), 'utf8')) as unknown;
        return judgeReproduction({
          environment: { then: version.environmentLock, now: EnvironmentLock.parse(await json(after, 'environment.json')) },
          trainingDigest: { then: version.trainingDigest, now: rebuilt.trainingDigest },
          weights: compareWeights(await loadWeights(before), await loadWeights(after)),
          metrics: { then: figuresOf(EvaluationReport.parse(await json(before, 'evaluation.json'))), now: figuresOf(evaluated) },
          tolerance: asked.tolerance,
        });
      });
      await stores.reproductions.finish(id, report);
      await stores.ledger.append({
        chain: `${model}/runs`, eventId: `reproduction/${id}`, actor: asked.by, action: 'reproduced',
        subject: { reproduction: id, version: number, package: version.packageDigest, verdict: report.verdict, report: digestOf(report) }, at: new Date().toISOString(),
      });
      return { verdict: report.verdict };
    }),
  };
}
