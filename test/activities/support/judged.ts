import { randomUUID } from 'node:crypto';
import { createAdmissionActivities } from '../../../activities/admission/index.js';
import { createApproveActivities } from '../../../activities/approve/index.js';
import { createMonitorActivities } from '../../../activities/monitor/index.js';
import { createRegisterActivities } from '../../../activities/register/index.js';
import { createReleaseActivities } from '../../../activities/release/index.js';
import type { Decision } from '../../../contract/decision.js';
import type { ClassificationReport } from '../../../contract/evaluation.js';
import type { Evidence } from '../../../contract/evidence.js';
import { generateKeyPair, signDecision } from '../../../domain/decision.js';
import { digestOf } from '../../../domain/digest.js';
import { digest, versionOf } from '../../stores/samples.js';
import { createDataStack } from './data.js';

const report: ClassificationReport = { n: 10, accuracy: 0.9, precision: 0.9, recall: 0.9, f1: 0.9, classes: ['car', 'truck'], perClass: [], confusion: [[5, 0], [1, 4]] };

/** A model with runs that wait for a decision, and people who may or may not decide. */
export async function createJudgedStack() {
  const stack = await createDataStack();
  const { deps, stores } = stack;
  await stores.environments.ensure('production');
  const people = new Map<string, ReturnType<typeof generateKeyPair>>();

  return {
    ...stack, people,
    approve: createApproveActivities(deps), admission: createAdmissionActivities(deps), register: createRegisterActivities(deps), release: createReleaseActivities(deps), monitor: createMonitorActivities(deps),

    async addPerson(name: string, approver: boolean): Promise<string> {
      const id = `${name}-${randomUUID().slice(0, 8)}`;
      const keys = generateKeyPair(crypto.getRandomValues(new Uint8Array(32)));
      people.set(id, keys);
      await stores.principals.create({ id, kind: 'person', displayName: name, email: `${id}@example.com`, publicKey: keys.publicKey });
      if (approver) await stores.principals.grant(id, 'approver', null);
      return id;
    },

    /** A registered and tested version, its evidence sealed against the present route. */
    async candidate(model: string) {
      const { run } = await stores.runs.create({ model, cause: randomUUID(), reason: { kind: 'commit', detail: 'a push', by: 'cars', force: false }, commit: digest(randomUUID()).slice(0, 40), trainingDigest: digest('t'), policyDigest: digest('p') });
      const { version } = await stores.versions.register(versionOf(model, run.id));
      await stores.versions.transition({ model, version, to: 'tested', by: run.id, why: 'tested', eventId: `${run.id}/tested` });
      await stores.runs.setStep(run.id, 'approval', 'waiting');
      return { run: run.id, version, evidence: await this.seal(model, run.id, version) };
    },
    async seal(model: string, run: string, version: number): Promise<string> {
      const route = await stores.routes.current('production', model);
      const evidence: Evidence = {
        v: 1, run, model, version, environment: 'production', commit: 'c'.repeat(40), snapshot: digest('s'), package: digest('p'), reason: 'a push', gates: [], evaluation: report, slices: [],
        testEnvironment: { v: 1, passed: true, checks: [], accuracy: 0.9, rows: 10, latencyMs: { p50: 1, p95: 2, p99: 3 }, load: { seconds: 1, connections: 1, requests: 1, errors: 0, requestsPerSecond: 1 } },
        live: { version: route?.arms[0]?.version ?? null, generation: route?.generation ?? 0, evaluation: null }, mistakes: [], picturesRef: null, deadline: new Date(Date.now() + 60_000).toISOString(),
      };
      const name = digestOf(evidence);
      const ref = { uri: 's3://bucket/x', sha256: digest('x'), bytes: 1 };
      await stores.evidence.seal({ digest: name, run, model, version, environment: 'production', liveVersion: evidence.live.version, liveGeneration: evidence.live.generation, json: ref, html: null, deadline: evidence.deadline, sealed: evidence });
      return name;
    },
    decision(approver: string, run: string, evidence: string, verdict: Decision['verdict'] = 'approve', nonce: string = randomUUID()): Decision {
      const keys = people.get(approver);
      if (!keys) throw new Error(`${approver} has no key`);
      return signDecision({ v: 1, run, evidence, verdict, comment: '', approver, nonce }, keys.privateKey);
    },
    async refusals(run: string): Promise<unknown[]> {
      return (await stores.runs.events(run)).filter((event) => event.kind === 'refusal').map((event) => event.data['code']);
    },
  };
}
