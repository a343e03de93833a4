import type { Ref } from '../../contract/ref.js';
import { requireDefinition, requireRun } from '../lookup.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { EnvironmentLock } from '../../contract/package.js';
import { EvaluationReport } from '../../contract/evaluation.js';
import { hyperparametersOf } from '../package/hyperparameters.js';
import { headlines } from '../../domain/quality.js';

export interface Packed { readonly digest: string; readonly manifest: Ref; readonly environment: Ref }
export type RegisterActivities = ReturnType<typeof createRegisterActivities>;

/** Writes of the registry. Registration is unique on the run and every transition on its event id, so running twice changes nothing. */
export function createRegisterActivities({ stores, artifacts }: ActivityDeps) {
  const move = async (model: string, version: number, to: 'tested' | 'approved' | 'rejected', run: string, why: string, at: string) => {
    await stores.versions.transition({ model, version, to, by: run, why, eventId: `${run}/${to}/${at}` });
  };
  return {
    async registerVersion({ model, run: id, snapshot, packed }: { model: string; run: string; snapshot: string; packed: Packed }): Promise<{ version: number }> {
      const run = await requireRun(stores, id);
      const { definition } = await requireDefinition(stores, model, run.commit);
      const evaluation = await stores.evaluations.get(id, 'offline');
      const { version } = await stores.versions.register({
        model, run: id, packageDigest: packed.digest, manifest: packed.manifest, commit: run.commit, snapshot, trainingDigest: run.trainingDigest,
        hyperparameters: hyperparametersOf(definition, run.reason, (await stores.evaluations.get(id, 'compression'))?.report),
        environmentLock: EnvironmentLock.parse(await readJson(artifacts, packed.environment)),
        metrics: evaluation ? metricsOf(EvaluationReport.parse(evaluation.report)) : {},
        by: run.reason.by, reason: run.reason.detail,
      });
      await stores.runs.setFields(id, { version });
      await stores.ledger.append({ chain: `${model}/runs`, eventId: `registered/${model}@${version}`, actor: run.reason.by, action: 'registered', subject: { run: id, version, package: packed.digest, snapshot, commit: run.commit }, at: new Date().toISOString() });
      return { version };
    },
    async recordTested({ model, run, version, passed }: { model: string; run: string; version: number; passed: boolean }): Promise<void> {
      await move(model, version, passed ? 'tested' : 'rejected', run, passed ? 'passed the test environment' : 'failed in the test environment', 'test');
    },
    async recordApproved({ model, run, version, evidence }: { model: string; run: string; version: number; evidence: string }): Promise<void> {
      await move(model, version, 'approved', run, `approved on evidence ${evidence}`, evidence);
    },
    async recordRejected({ model, run, version }: { model: string; run: string; version: number }): Promise<void> {
      await move(model, version, 'rejected', run, 'not approved', 'end');
    },
  };
}

function metricsOf({ overall }: EvaluationReport): Record<string, number> {
  return Object.fromEntries([['n', overall.n] as const, ...headlines(overall).flatMap(({ metric, value }) => (value === null ? [] : [[metric, value] as const]))]);
}
