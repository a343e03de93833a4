import { ScheduleNotFoundError, ScheduleOverlapPolicy, WorkflowIdConflictPolicy, WorkflowNotFoundError } from '@temporalio/client';
import { durationMs } from '../../definition/common.js';
import { QUEUES, SIGNALS, workflowId } from '../../contract/names.js';
import type { RunStatus } from '../../contract/run.js';
import type { ReleaseReply, ReleaseRequest, TrainRequest } from '../../contract/signals.js';
import { canonicalJson } from '../../domain/canonical.js';
import type { ActivityDeps } from '../deps.js';
import { requireDefinition, requireRun } from '../lookup.js';
import { alertMail, endMail } from './mails.js';
import { createOutboxMail } from './outbox-mail.js';

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;

/** Messages to people (through the outbox, deterministic ids) and to other workflows (request ids they remember): running twice is hearing it once. */
export function createNotifyActivities(deps: ActivityDeps) {
  const { stores, artifacts, temporal, publicUrl } = deps;
  const mail = createOutboxMail(deps);

  return {
    async askGovernor({ model, request }: { model: string; request: TrainRequest }): Promise<void> {
      await temporal.workflow.signalWithStart('governor', {
        workflowId: workflowId.governor(model), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model }], signal: SIGNALS.train, signalArgs: [request], workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      });
    },
    async tellGovernor({ model, run, status }: { model: string; run: string; status: RunStatus }): Promise<void> {
      await temporal.workflow.signalWithStart('governor', {
        workflowId: workflowId.governor(model), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model }], signal: SIGNALS.runEnded, signalArgs: [{ v: 1, id: `${status}/${run}`, run, status }], workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      });
    },
    /** Asks the environment's workflow, starting it when it is the first time; the answer comes as the signal `released`. */
    async requestRelease({ model, environment, request }: { model: string; environment: string; request: ReleaseRequest }): Promise<void> {
      await temporal.workflow.signalWithStart('environment', {
        workflowId: workflowId.environment(model, environment), taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, environment }], signal: SIGNALS.release, signalArgs: [request], workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      });
    },
    /** A lifecycle that is over (cancelled, expired) needs no answer any more. An operator's release has nobody waiting. */
    async replyReleased({ to, reply }: { to: string; reply: ReleaseReply }): Promise<void> {
      if (to === '') return;
      try {
        await temporal.workflow.getHandle(to).signal(SIGNALS.released, reply);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    async mailCommitter({ model, run: id, about }: { model: string; run: string; about: 'rejected' | 'expired' | 'failed' }): Promise<void> {
      const run = await requireRun(stores, id);
      const { definition, repository } = await requireDefinition(stores, model, run.commit);
      const intake = await stores.models.getIntake(repository, run.commit);
      const to = [...new Set([intake?.committer.email ?? definition.owner.email, definition.owner.email])];
      const decision = (await stores.decisions.list(id)).find((row) => row.accepted);
      await mail.enqueue({ id: `run/${id}/${about}`, to, ...endMail({ run, about, comment: decision?.decision.comment ?? null, publicUrl }) });
    },
    /** Once per finding, not once per check or retry. */
    async mailAlert({ model, environment, finding }: { model: string; environment: string; check: string; finding: number }): Promise<void> {
      const row = await stores.alerts.getFinding(finding);
      const current = await stores.models.currentDefinition(model);
      if (!row || !current) return;
      const to = current.definition.alerts.to.length > 0 ? current.definition.alerts.to : [current.definition.owner.email];
      await mail.enqueue({ id: `finding/${finding}`, to, ...alertMail({ model, environment, finding: row, check: await stores.checks.get(row.check), publicUrl }) });
    },

    /** Writes the chain's head to S3, where nobody who changes the database can reach it. */
    async anchorLedger({ chain }: { chain: string }): Promise<void> {
      const head = await stores.ledger.head(chain);
      if (!head) return;
      const { seq, hash } = head;
      const ref = await artifacts.putAt(`ledger/${chain}/${String(seq).padStart(12, '0')}.json`, new TextEncoder().encode(canonicalJson({ v: 1, chain, seq, hash })), { contentType: 'application/json' });
      await stores.ledger.anchor({ chain, seq, hash, uri: ref.uri });
    },

    /** A Schedule per feature view in force: made, or changed to the view, and run at once; of a view that is in force no longer it ends. */
    async keepMaterialising({ view }: { view: string }): Promise<void> {
      // Another commit's intake may come between: what is in force at the end decides.
      for (let done = false; !done;) {
        const current = await stores.featureViews.current(view);
        if (current) await keepSchedule(workflowId.materialise(view), durationMs(current.definition.schedule), { workflowType: 'materialise', args: [{ v: 1, view }] });
        else await endSchedule(workflowId.materialise(view));
        done = (await stores.featureViews.current(view))?.commit === current?.commit;
        if (done && current) await triggerSchedule(workflowId.materialise(view));
      }
    },

    /** A Schedule per live model: made, or changed to the applied policy. What models predict is brought to S3 daily, for all of them at once. */
    async keepMonitor({ model, environment }: { model: string; environment: string }): Promise<void> {
      const current = await stores.models.currentDefinition(model);
      if (!current) return;
      const { definition } = current;
      await keepSchedule(workflowId.monitor(model, environment), durationMs(definition.monitoring.every), { workflowType: 'monitorCheck', args: [{ v: 1, model, environment }] });
      await keepSchedule(workflowId.archivePredictions(), durationMs('1d'), { workflowType: 'archivePredictions', args: [{ v: 1 }] });
    },
  };

  async function endSchedule(scheduleId: string): Promise<void> {
    await unlessGone(temporal.schedule.getHandle(scheduleId).delete());
  }

  async function triggerSchedule(scheduleId: string): Promise<void> {
    await unlessGone(temporal.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE));
  }

  async function keepSchedule(scheduleId: string, everyMs: number, { workflowType, args }: { workflowType: string; args: unknown[] }): Promise<void> {
    const spec = { intervals: [{ every: everyMs }] };
    const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: Math.max(10_000, everyMs) };
    const action = { type: 'startWorkflow' as const, workflowType, workflowId: scheduleId, taskQueue: QUEUES.lifecycle, args };
    const handle = temporal.schedule.getHandle(scheduleId);
    try {
      await handle.update((previous) => ({ ...previous, spec, policies: { ...previous.policies, ...policies }, action }));
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      await temporal.schedule.create({ scheduleId, spec, policies, action });
    }
  }
}

async function unlessGone(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  });
}
