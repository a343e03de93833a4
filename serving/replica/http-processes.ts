import cluster, { type Worker } from 'node:cluster';
import type { Runner } from '../../runtime/runner/start.js';
import type { ReplicasStore } from '../../stores/replicas.js';
import type { OnProblem } from '../problem.js';
import { createLeaseKeeper, type LeaseKeeper } from '../routing/lease-keeper.js';
import type { PackageCache } from '../routing/package-cache.js';
import { tellError } from '../told-error.js';
import { mergedMetrics } from './merged-metrics.js';
import { takeBackConnections } from './handed-over.js';
import type { Call, Calls, FromProcess, Served, ToProcess } from './messages.js';
import { servedByAll } from './served-by-all.js';
import { createSharedRunners } from './shared-runners.js';

export interface HttpProcessesOptions {
  readonly processes: number;
  readonly environment: string;
  readonly replica: string;
  readonly replicas: Pick<ReplicasStore, 'lease' | 'report' | 'release'>;
  readonly packages: PackageCache;
  readonly startRunner: (packageDirectory: string) => Promise<Runner>;
  readonly onProblem: OnProblem;
}

/** A replica of several HTTP processes. */
export interface HttpProcesses {
  /** Its address, once all of them take requests; rejects where one ended before. */
  readonly ready: Promise<string>;
  /** Has all of them finish and end, then the lease and the runners. */
  close(): Promise<void>;
}

interface Member {
  readonly worker: Worker;
  readonly slot: number;
  readonly startedAt: number;
  isReady: boolean;
  serving: readonly Served[];
  metrics: string | null;
  inUse: readonly string[] | null;
}

const PROBED_WITHIN_MS = 60_000;
const RESTART = { firstMs: 100, maximumMs: 10_000 } as const;
/** A process that ended sooner than this is likely to do it again. */
const STEADY_AFTER_MS = 10_000;
/** A process that is busy does not hold up a look at the metrics for longer: its last ones count, a second old. */
const COUNT_WITHIN_MS = 500;

/**
 * Forks the HTTP processes of a replica, which share its port: this process accepts connections and hands them out in turn, and has what there is one
 * of: the lease, the packages on disk, and the runners, which the others talk with straight. One that ends is started again; the others go on.
 */
export function startHttpProcesses({ processes, environment, replica, replicas, packages, startRunner, onProblem }: HttpProcessesOptions): HttpProcesses {
  const members = new Map<number, Member>();
  const runners = createSharedRunners(startRunner);
  const startedAt = Date.now();
  let lease: LeaseKeeper | null = null;
  let port: number | null = null;
  let ended: string | null = null;
  let probedAt = -Infinity;
  let stopping = false;
  let shortLived = 0;
  let begun: (url: string) => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  let isBegun = false;
  const ready = new Promise<string>((resolve, reject) => { [begun, failed] = [resolve, reject]; });
  let allEnded: () => void = () => undefined;

  const living = (): Member[] => [...members.values()];
  const serving = (): Served[] => servedByAll(living().filter(({ isReady }) => isReady).map((member) => member.serving));
  const say = ({ worker }: Member, message: ToProcess): void => { if (worker.isConnected()) worker.send(message); };

  function fork(slot: number): void {
    const worker = cluster.fork();
    const member: Member = { worker, slot, startedAt: performance.now(), isReady: false, serving: [], metrics: null, inUse: null };
    members.set(worker.id, member);
    worker.on('message', (message: FromProcess) => { take(member, message); });
    worker.on('error', (error) => { onProblem(`HTTP process ${slot} cannot be reached`, error); });
    takeBackConnections(worker, () => living().some(({ worker: other, isReady }) => other !== worker && isReady));
    worker.once('exit', (code, signal) => { gone(member, signal ?? `code ${code}`); });
  }

  function gone(member: Member, why: string): void {
    members.delete(member.worker.id);
    runners.releaseAll(member.worker.id);
    if (member.metrics !== null) ended = mergedMetrics([], ended === null ? member.metrics : mergedMetrics([ended, member.metrics]));
    if (stopping) {
      if (members.size === 0) allEnded();
      return;
    }
    if (!isBegun) return failed(new Error(`HTTP process ${member.slot} ended (${why}) before it took requests`));
    shortLived = performance.now() - member.startedAt < STEADY_AFTER_MS ? shortLived + 1 : 0;
    onProblem(`HTTP process ${member.slot} ended (${why}); it is started again, the others go on`, undefined);
    reportServing();
    setTimeout(() => { if (!stopping) fork(member.slot); }, shortLived === 0 ? 0 : Math.min(RESTART.maximumMs, RESTART.firstMs * 2 ** shortLived));
  }

  function reportServing(): void {
    for (const { model } of serving()) void lease?.report(model);
  }

  function take(member: Member, message: FromProcess): void {
    switch (message.kind) {
      case 'call': return void answer(member, message.id, message.call, message.argument);
      case 'released': return runners.release(member.worker.id, message.pid);
      case 'kill': return runners.kill(message.pid);
      case 'serving':
        member.serving = message.serving;
        return reportServing();
      case 'probed':
        probedAt = performance.now();
        return;
      case 'counted':
        member.metrics = message.text;
        counted.get(member.worker.id)?.();
        return;
      case 'ready':
        member.isReady = true;
        port ??= message.port;
        lease ??= createLeaseKeeper({ replicas, replica, environment, url: message.url, serving, onProblem });
        reportServing();
        if (isBegun) onProblem(`HTTP process ${member.slot} takes requests again`, undefined);
        if (living().filter(({ isReady }) => isReady).length < processes) return;
        isBegun = true;
        begun(message.url);
    }
  }

  async function answer(member: Member, id: number, call: Call, argument: unknown): Promise<void> {
    try {
      say(member, { kind: 'answer', id, value: await calls[call](argument as never, member) });
    } catch (error) {
      say(member, { kind: 'failed', id, error: tellError(error) });
    }
  }

  const calls: { readonly [K in Call]: (argument: Calls[K]['argument'], member: Member) => Calls[K]['answer'] | Promise<Calls[K]['answer']> } = {
    begin: (_nothing, { slot }) => ({ slot, processes, port }),
    runner: ({ packageDirectory, insteadOf }, { worker }) => runners.acquire(worker.id, packageDirectory, insteadOf),
    fetchPackage: (name) => packages.fetch(name),
    packageBytes: (name) => packages.bytesOf(name),
    localPackage: (digest) => packages.local(digest),
    discardPackage: (digest) => packages.discard(digest).then(() => null),
    prunePackages: (inUse, member) => {
      member.inUse = inUse;
      const known = living().map((one) => one.inUse);
      return known.some((one) => one === null) ? null : packages.prune(new Set(known.flatMap((one) => one ?? []))).then(() => null);
    },
    metrics: collect,
  };

  const counted = new Map<number, () => void>();
  async function collect(): Promise<string> {
    await Promise.all(living().filter(({ isReady }) => isReady).map((member) => new Promise<void>((done) => {
      const late = setTimeout(done, COUNT_WITHIN_MS);
      counted.set(member.worker.id, () => {
        clearTimeout(late);
        done();
      });
      say(member, { kind: 'count' });
    })));
    const own = `# TYPE perennial_resident_memory_bytes gauge\nperennial_resident_memory_bytes ${process.memoryUsage.rss()}\n`;
    return mergedMetrics([...living().flatMap(({ metrics }) => (metrics === null ? [] : [metrics])), own], ended, {
      perennial_lease_held: lease?.held === true ? 1 : 0, perennial_uptime_seconds: (Date.now() - startedAt) / 1_000,
    });
  }

  for (let slot = 1; slot <= processes; slot += 1) fork(slot);

  return {
    ready,
    async close() {
      stopping = true;
      if (members.size > 0) {
        await new Promise<void>((done) => {
          allEnded = done;
          for (const member of living()) say(member, { kind: 'stop', probed: performance.now() - probedAt < PROBED_WITHIN_MS });
        });
      }
      await lease?.close();
      await runners.close();
    },
  };
}
