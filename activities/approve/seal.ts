import { durationMs } from '../../definition/common.js';
import { PerennialError } from '../../contract/errors.js';
import type { Mistake } from '../../contract/evaluation.js';
import type { Evidence } from '../../contract/evidence.js';
import { digestOf } from '../../domain/digest.js';
import { canonicalJson } from '../../domain/canonical.js';
import { tighten } from '../../domain/policy.js';
import type { ActivityDeps } from '../deps.js';
import { putJson } from '../../stores/json-objects.js';
import { requireDefinition, requireRun, requireVersion } from '../lookup.js';
import { evidencePage } from './page.js';

export interface SealRequest { readonly model: string; readonly run: string; readonly version: number; readonly environment: string; readonly round: number }
export interface SealedEvidence { readonly digest: string; readonly deadline: string; readonly waitMs: number; readonly allPassed: boolean }

/**
 * Seals what an approver judges: the reports, their pictures and the deadline, under one digest. A second try of the same round
 * finds the evidence of the first, so that a deadline never moves by a retry.
 */
export async function sealEvidence({ stores, artifacts, publicUrl }: ActivityDeps, { model, run: id, version, environment, round }: SealRequest): Promise<SealedEvidence> {
  const known = (await stores.evidence.list(id))[round - 1];
  if (known) return sealed(known.digest, known.sealed);

  const run = await requireRun(stores, id);
  const registered = await requireVersion(stores, model, version);
  const { definition } = await requireDefinition(stores, model, run.commit);
  const policy = (await stores.environments.get(environment))?.policy;
  if (!policy) throw new PerennialError('definition/weakens-policy', `environment ${environment} does not exist`);
  const tightened = tighten(policy, definition);
  const deadlineMs = tightened.ok ? tightened.effective.deadlineMs : durationMs(definition.approval.deadline);

  const evaluation = (await stores.evaluations.get(id, 'offline'))?.report;
  const gates = (await stores.evaluations.get(id, 'gates'))?.report;
  const tested = (await stores.evaluations.get(id, 'test-environment'))?.report;
  if (!evaluation || !gates || !tested) throw new Error(`run ${id} has not been evaluated and tested`);
  const compression = (await stores.evaluations.get(id, 'compression'))?.report;
  const pictures = await putJson(artifacts, evaluation.mistakes);
  const frozen = await frozenReports(stores, model, id, definition.evaluation.frozen ?? []);

  const evidence: Evidence = {
    v: 1, run: id, model, version, environment, commit: run.commit, snapshot: registered.snapshot, package: registered.packageDigest,
    reason: `${run.reason.kind}: ${run.reason.detail}`,
    gates: gates.gates, ...(definition.evaluation.metrics ? { metrics: definition.evaluation.metrics } : {}), evaluation: evaluation.overall, slices: evaluation.slices, ...(frozen.length > 0 ? { frozen } : {}), ...(compression ? { compression } : {}), testEnvironment: tested, live: gates.live,
    ...(evaluation.features ? { features: evaluation.features } : {}),
    mistakes: evaluation.mistakes.map(withoutPicture), picturesRef: pictures,
    deadline: new Date(Date.now() + deadlineMs).toISOString(),
  };
  const digest = digestOf(evidence);
  const json = await artifacts.putAt(`reports/${digest}.json`, new TextEncoder().encode(canonicalJson(evidence)), { contentType: 'application/json' });
  const html = await artifacts.putAt(`reports/${digest}.html`, new TextEncoder().encode(evidencePage({ digest, evidence, mistakes: evaluation.mistakes, publicUrl })), { contentType: 'text/html; charset=utf-8' });
  await stores.evidence.seal({ digest, run: id, model, version, environment, liveVersion: gates.live.version, liveGeneration: gates.live.generation, json, html, deadline: evidence.deadline, sealed: evidence });
  await stores.runs.setFields(id, { evidence: digest });
  await stores.ledger.append({ chain: `${model}/${environment}`, eventId: `evidence/${digest}`, actor: id, action: 'evidence-sealed', subject: { run: id, version, evidence: digest }, at: new Date().toISOString() });
  return sealed(digest, evidence);
}

/** The newest figures of the run on each set: those that its gates were judged by. */
async function frozenReports(stores: ActivityDeps['stores'], model: string, run: string, names: readonly string[]): Promise<NonNullable<Evidence['frozen']>> {
  const reports: NonNullable<Evidence['frozen']> = [];
  for (const name of names) {
    const newest = (await stores.frozen.measurements(model, name)).findLast((measurement) => measurement.run === run);
    if (newest) reports.push({ name, digest: newest.digest, report: newest.report.overall });
  }
  return reports;
}

function withoutPicture(mistake: Mistake): Evidence['mistakes'][number] {
  if (!('probability' in mistake)) return mistake;
  const { png: _png, ...rest } = mistake;
  return rest;
}

function sealed(digest: string, evidence: Evidence): SealedEvidence {
  return {
    digest, deadline: evidence.deadline, waitMs: Math.max(1, Date.parse(evidence.deadline) - Date.now()),
    allPassed: evidence.testEnvironment.passed && evidence.gates.every((gate) => gate.verdict === 'pass'),
  };
}
