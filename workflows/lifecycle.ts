import { CancellationScope, condition, defineSignal, defineUpdate, patched, setHandler, sleep } from '@temporalio/workflow';
import type { Decision } from '../contract/decision.js';
import { SIGNALS, UPDATES, workflowId } from '../contract/names.js';
import type { RunError, RunStep } from '../contract/run.js';
import type { CancelRequest, ReleaseReply } from '../contract/signals.js';
import type { Made } from '../activities/compress/made.js';
import type { EndStatus, RunPlan, TrainedBefore } from '../activities/record/index.js';
import type { Candidate } from '../activities/train/candidate.js';
import { approve, compress, data, deploy, discard, evaluate, notify, packaging, record, register, train, trainVariants } from './support/activities.js';
import { isCancellation, toRunError } from './support/failure.js';
import { capped, Inbox, text } from './support/inbox.js';

export interface LifecycleInput { readonly v: 1; readonly model: string; readonly run: string }

export const decideSignal = defineSignal<[Decision]>(SIGNALS.decide);
export const decideUpdate = defineUpdate<{ ticket: string }, [Decision]>(UPDATES.decide);
export const releasedSignal = defineSignal<[ReleaseReply]>(SIGNALS.released);
export const cancelSignal = defineSignal<[CancelRequest]>(SIGNALS.cancel);

export interface Ending { readonly status: EndStatus; readonly message: string; readonly error?: RunError | undefined }
type Via = 'signal' | 'update';
/** Ends that may come in the middle of a training. */
const UNTRAINED: readonly EndStatus[] = ['cancelled', 'superseded', 'failed'];

/** One turn of the loop: from a reason to train to a released version, or to a clear account of why not. */
export async function lifecycle({ model, run }: LifecycleInput): Promise<Ending> {
  const decisions = new Inbox<{ via: Via; payload: unknown }>();
  const replies = new Map<string, ReleaseReply>();
  const scope = new CancellationScope();
  let cancelled: CancelRequest | undefined;

  setHandler(decideSignal, (payload) => decisions.put({ via: 'signal', payload: capped(payload) }));
  setHandler(decideUpdate, (payload) => {
    decisions.put({ via: 'update', payload: capped(payload) });
    return { ticket: text(payload, 'nonce') ?? 'unreadable' };
  });
  setHandler(releasedSignal, (reply) => { replies.set(String(text(reply, 'id')), reply); });
  setHandler(cancelSignal, (request) => { cancelled ??= request; scope.cancel(); });

  let steps = 0;
  const step = (name: RunStep, message: string) => {
    steps += 1;
    return record.enterStep({ run, event: `step-${steps}`, step: name, status: name === 'approval' ? 'waiting' : 'running', message });
  };

  const story = async (): Promise<Ending> => {
    const plan = await record.planRun({ model, run });

    await step('snapshot', 'collecting the data');
    const snapshot = await data.buildSnapshot({ model, commit: plan.commit, run });
    await step('validate', `${snapshot.rows} rows in snapshot ${snapshot.digest.slice(0, 12)}${snapshot.reused ? ' (known)' : ''}`);
    await record.admitSnapshot({ model, run, snapshot });

    const earlier = await record.trainedBefore({ model, run, snapshot: snapshot.digest });
    if (earlier.kind === 'policy-only' || earlier.kind === 'unchanged') {
      await record.applyPolicy({ model, run });
      await notify.keepMonitor({ model, environment: plan.environment });
      if (earlier.kind === 'policy-only') return { status: 'applied', message: `only policy changed: applied without training, ${earlier.version} stays` };
      return { status: 'unchanged', message: `the same code and data trained ${earlier.version}: nothing to do` };
    }

    if (earlier.kind === 'new') {
      await step('quick-pass', 'a first pass over a few rows');
      await train.quickPass({ model, run, snapshot: snapshot.digest });
    }
    await step('train', stageOf(earlier));
    const full = earlier.kind === 'candidate'
      ? await record.adoptCandidate({ run, from: earlier.run })
      : await train.train({ model, run, snapshot: snapshot.digest });
    const candidate = plan.variants ? await smaller(plan.variants, full, snapshot.digest) : full;

    await step('evaluate', 'judging on unseen data');
    const judged = await evaluate.evaluateCandidate({ model, run, snapshot: snapshot.digest, candidate });
    if (judged.verdict === 'fail') return { status: 'rejected', message: judged.summary, error: judged.error };

    await step('package', 'packing all that serves and reproduces it');
    const packed = await packaging.packageCandidate({ model, run, snapshot: snapshot.digest, candidate, golden: judged.golden });
    await step('register', `package ${packed.digest.slice(0, 12)}`);
    const { version } = await register.registerVersion({ model, run, snapshot: snapshot.digest, packed });

    await step('test-environment', `testing ${model}@${version} through HTTP`);
    const tested = await testThroughHttp(version, snapshot.digest, judged.expected);
    await register.recordTested({ model, run, version, passed: tested.passed });
    if (!tested.passed) return { status: 'rejected', message: 'the test environment found it wanting', error: tested.error };

    return await decideAndRelease(plan, version, snapshot.digest);
  };

  /** Makes the variants beside each other; one that cannot be made costs the run nothing but itself. */
  const smaller = async (variants: NonNullable<RunPlan['variants']>, full: Candidate, snapshot: string): Promise<Candidate> => {
    await step('compress', `variants: ${variants.map(({ name }) => name).join(', ')}`);
    const made = await Promise.all(variants.map(async ({ name, trained = false }): Promise<Made> => {
      try {
        return { name, candidate: await (trained ? trainVariants.trainVariant({ model, run, snapshot, full, variant: name }) : compress.quantizeVariant({ model, run, full, variant: name })) };
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { name, error: toRunError(error).message };
      }
    }));
    return (await compress.chooseVariant({ model, run, snapshot, full, made })).candidate;
  };

  /** The test environment holds one version of a model at a time: a lease, given back whatever happens. */
  const testThroughHttp = async (version: number, snapshot: string, expected: Parameters<typeof deploy.testOverHttp>[0]['expected']) => {
    while (!(await deploy.acquireTestSlot({ model, run }))) await sleep('2s');
    try {
      await deploy.deployToTest({ model, run, version });
      return await deploy.testOverHttp({ model, run, version, snapshot, expected });
    } finally {
      await CancellationScope.nonCancellable(() => deploy.releaseTestSlot({ model, run }));
    }
  };

  /** Seal, ask, release; when what is live changed meanwhile, judge against it and ask again. */
  const decideAndRelease = async (plan: RunPlan, version: number, snapshot: string): Promise<Ending> => {
    for (let round = 1; ; round += 1) {
      await step('evidence', 'sealing the evidence');
      const evidence = await approve.sealEvidence({ model, run, version, environment: plan.environment, round });
      await step('approval', `waiting for a decision on evidence ${evidence.digest.slice(0, 8)} until ${evidence.deadline}`);
      await notify.tellGovernor({ model, run, status: 'waiting' });
      const verdict = await awaitDecision(plan, evidence);
      if (verdict === 'reject') {
        await register.recordRejected({ model, run, version });
        await notify.mailCommitter({ model, run, about: 'rejected' });
        return { status: 'rejected', message: 'an approver rejected it' };
      }
      if (verdict === 'expired') {
        await register.recordRejected({ model, run, version });
        await notify.mailCommitter({ model, run, about: 'expired' });
        return { status: 'expired', message: 'nobody decided before the deadline: nothing was released' };
      }
      await register.recordApproved({ model, run, version, evidence: evidence.digest });

      await step('release', `releasing ${model}@${version} to ${plan.environment}`);
      const id = `${run}/${evidence.digest}`;
      await notify.requestRelease({
        model, environment: plan.environment,
        request: { v: 1, id, run, version, evidence: evidence.digest, force: false, by: run, replyTo: workflowId.lifecycle(model, run), keepWarmMs: plan.keepWarmMs },
      });
      await condition(() => replies.has(id));
      const reply = replies.get(id) as ReleaseReply;
      if (reply.outcome === 'released') {
        const unconfirmed = reply.unconfirmed.length > 0 ? `, unconfirmed: ${reply.unconfirmed.join(', ')}` : '';
        return { status: 'released', message: `${model}@${version} is live in ${plan.environment}${unconfirmed}` };
      }
      if (reply.outcome === 'failed' || reply.outcome === 'refused') {
        return { status: reply.outcome, message: reply.message, error: { code: reply.outcome === 'failed' ? 'release/load-failed' : 'release/not-approved', message: reply.message, next: 'The version before goes on serving; see `perennial show`.' } };
      }
      await step('evaluate', `another version went live meanwhile (generation ${reply.generation ?? 0}): judged again, against it`);
      const again = await evaluate.evaluateAgain({ model, run, version, snapshot });
      if (again.verdict === 'fail') {
        await register.recordRejected({ model, run, version });
        return { status: 'rejected', message: again.summary, error: again.error };
      }
    }
  };

  const awaitDecision = async (plan: RunPlan, evidence: { digest: string; waitMs: number; allPassed: boolean }): Promise<'approve' | 'reject' | 'expired'> => {
    if (plan.automatic && evidence.allPassed) {
      const { accepted } = await approve.approveAutomatically({ model, run, environment: plan.environment, evidence: evidence.digest });
      if (accepted) return 'approve';
    }
    await approve.mailApprovers({ model, run, environment: plan.environment, evidence: evidence.digest, about: 'request' });
    const timers = new CancellationScope();
    let expired = false;
    let remind = false;
    void timers.run(() => sleep(evidence.waitMs)).then(() => { expired = true; }, ignoreCancellation);
    if (plan.reminderMs < evidence.waitMs) void timers.run(() => sleep(plan.reminderMs)).then(() => { remind = true; }, ignoreCancellation);
    try {
      for (;;) {
        await condition(() => decisions.size > 0 || expired || remind);
        for (let next = decisions.take(); next; next = decisions.take()) {
          const admitted = await approve.admitDecision({ model, run, environment: plan.environment, via: next.via, payload: next.payload });
          if (admitted.accepted) return admitted.verdict;
        }
        if (expired) return 'expired';
        if (remind) {
          remind = false;
          await approve.mailApprovers({ model, run, environment: plan.environment, evidence: evidence.digest, about: 'reminder' });
        }
      }
    } finally {
      timers.cancel();
    }
  };

  /** Decisions that came too late or again are refused on the record, not dropped. */
  const refuseLate = async () => {
    for (let next = decisions.take(); next; next = decisions.take()) {
      await approve.admitDecision({ model, run, environment: null, via: next.via, payload: next.payload });
    }
  };

  const ending = await scope.run(story).catch((error: unknown): Ending => {
    if (cancelled && isCancellation(error)) {
      return { status: cancelled.superseded ? 'superseded' : 'cancelled', message: `${cancelled.superseded ? 'superseded' : 'cancelled'} by ${cancelled.by}: ${cancelled.reason}` };
    }
    const reason = toRunError(error);
    return { status: 'failed', message: reason.message, error: reason };
  });

  return CancellationScope.nonCancellable(async () => {
    await refuseLate();
    await record.endRun({ model, run, status: ending.status, message: ending.message, ...(ending.error ? { error: ending.error } : {}) });
    if (ending.status === 'failed' || (ending.status === 'rejected' && ending.error)) await notify.mailCommitter({ model, run, about: 'failed' });
    await notify.tellGovernor({ model, run, status: ending.status });
    await notify.anchorLedger({ chain: `${model}/runs` });
    if (UNTRAINED.includes(ending.status) && patched('checkpoints-discarded')) await discard.discardCheckpoints({ run });
    await refuseLate();
    return ending;
  });
}

/** What the stage of training does. */
function stageOf(earlier: Extract<TrainedBefore, { kind: 'new' | 'imported' | 'candidate' }>): string {
  switch (earlier.kind) {
    case 'new': return 'training';
    case 'imported': return `imported (${earlier.format}), not trained`;
    case 'candidate': return `trained by ${earlier.run} on the same code and data: judged again`;
  }
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
