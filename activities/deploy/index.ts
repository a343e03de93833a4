import type { TestEnvironmentReport } from '../../contract/evaluation.js';
import { ERRORS, PerennialError } from '../../contract/errors.js';
import type { Ref } from '../../contract/ref.js';
import type { RunError } from '../../contract/run.js';
import { openSnapshot } from '../data/open-snapshot.js';
import type { ActivityDeps } from '../deps.js';
import { heartbeating } from '../heartbeat.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { confirm } from '../release/confirm.js';
import { testVersionOverHttp } from './test-over-http.js';
import { chooseTestRows } from './test-rows.js';

const ENVIRONMENT = 'test';
/** The slot lapses this long after its holder was last heard of; renewed while the test runs. */
const SLOT_MS = 60_000;
const RENEW_EVERY_MS = 10_000;
const CONFIRM_MS = 60_000;
const slotOf = (model: string) => `${ENVIRONMENT}/${model}`;

export interface DeployRequest { readonly model: string; readonly run: string }
export interface TestedOverHttp { readonly passed: boolean; readonly error?: RunError; readonly report: TestEnvironmentReport }
export type DeployActivities = ReturnType<typeof createDeployActivities>;

/** The test environment: one version of a model at a time, tried as its callers will use it. */
export function createDeployActivities(deps: ActivityDeps) {
  const { stores, artifacts, serverToken } = deps;

  async function requireSlot({ model, run }: DeployRequest): Promise<void> {
    if (!(await stores.slots.acquire(slotOf(model), run, SLOT_MS))) throw new PerennialError('test-environment/busy', `the test environment's slot for ${model} was lost to another run`);
  }

  /** Runs `work` with the slot renewed beside it; a slot that is lost ends it. */
  function holding<T>(request: DeployRequest, progress: () => unknown, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return heartbeating(async (cancelled) => {
      await requireSlot(request);
      const lost = new AbortController();
      const timer = setInterval(() => {
        requireSlot(request).catch((error: unknown) => {
          if (error instanceof PerennialError && error.code === 'test-environment/busy') lost.abort(error);
        });
      }, RENEW_EVERY_MS);
      try {
        return await work(AbortSignal.any([cancelled, lost.signal]));
      } finally {
        clearInterval(timer);
      }
    }, progress);
  }

  /** Compare-and-set until the route says so; a route that says so already is left alone. */
  async function route({ model, run }: DeployRequest, version: number | null): Promise<number | null> {
    for (;;) {
      const current = await stores.routes.current(ENVIRONMENT, model);
      const live = current?.arms[0]?.version ?? null;
      if (live === version) return current?.generation ?? null;
      const expected = current?.generation ?? 0;
      const written = await stores.routes.write({
        environment: ENVIRONMENT, model, expected, intent: `${run}/${version ?? 'none'}/after-${expected}`,
        arms: version === null ? [] : [{ version, role: 'live', share: 1 }], keepWarmMs: 0, by: run, reason: version === null ? `the test of ${run} is over` : `test of ${run}`,
      });
      if (written.ok && written.route.generation === expected + 1) return written.route.generation;
    }
  }

  return {
    /** Takes the slot, or keeps it where the run has it already; false while another run has it. */
    acquireTestSlot: ({ model, run }: DeployRequest): Promise<boolean> => stores.slots.acquire(slotOf(model), run, SLOT_MS),

    /** Routes the test environment to the version and waits until it is served there. Does nothing where it is. */
    deployToTest: ({ version, ...request }: DeployRequest & { readonly version: number }): Promise<{ generation: number }> => holding(request, () => undefined, async (signal) => {
      const { model } = request;
      const generation = await route(request, version);
      if (generation === null) throw new PerennialError('test-environment/unavailable', `there is no route of ${model} in the environment ${ENVIRONMENT}`);
      const { confirmed, unconfirmed, failed } = await confirm(deps, { environment: ENVIRONMENT, model, generation, version, timeoutMs: CONFIRM_MS }, signal);
      const [first] = failed;
      if (first) throw new PerennialError('test-environment/failed', `${first.replica}: ${first.message}`, { failed });
      if (confirmed.length === 0) throw new PerennialError('test-environment/unavailable', `no server took up ${model}@${version} within ${CONFIRM_MS / 1_000} s: ${unconfirmed.join(', ')}`);
      return { generation };
    }),

    /** Asks, measures and records; run twice, the newer record counts. */
    async testOverHttp({ version, snapshot: digest, expected, ...request }: DeployRequest & { readonly version: number; readonly snapshot: string; readonly expected: Ref }): Promise<TestedOverHttp> {
      const progress = { stage: 'opening the data', done: 0, of: 0 };
      const { model, run: id } = request;
      return holding(request, () => ({ ...progress }), async (signal) => {
        const run = await requireRun(stores, id);
        const { definition } = await requireDefinition(stores, model, run.commit);
        const settings = definition.testEnvironment;
        const replicas = await stores.replicas.live(ENVIRONMENT);
        const replica = replicas.find((one) => one.serving.some((serving) => serving.model === model && serving.version === version));
        if (!replica) throw new PerennialError('test-environment/unavailable', `no server of the environment ${ENVIRONMENT} serves ${model}@${version} now`);
        const snapshot = await openSnapshot(deps, digest, signal);
        const rows = await chooseTestRows(artifacts, expected, snapshot, settings.rows);
        const report = await testVersionOverHttp({ url: replica.url, token: await serverToken(), model, version, rows, content: snapshot.manifest.content, settings, progress, signal });
        await stores.evaluations.save({ run: id, kind: 'test-environment', version, report, ref: null });
        const failed = report.checks.filter((check) => !check.passed).map(({ check, detail }) => `${check}: ${detail}`);
        if (failed.length === 0) return { passed: true, report };
        return { passed: false, report, error: { code: 'test-environment/failed', message: failed.join('; '), next: ERRORS['test-environment/failed'].next } };
      });
    },

    /** Unloads the version and gives the slot back. A slot that another run has by now, and its route, are left alone. */
    async releaseTestSlot(request: DeployRequest): Promise<void> {
      const slot = slotOf(request.model);
      if (!(await stores.slots.renew(slot, request.run, SLOT_MS))) return;
      await route(request, null);
      await stores.slots.release(slot, request.run);
    },
  };
}
