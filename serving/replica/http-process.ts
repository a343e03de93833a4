import type { AddressInfo } from 'node:net';
import { attachRunner } from '../../runtime/runner/attach.js';
import type { Runner } from '../../runtime/runner/start.js';
import type { LeaseKeeper } from '../routing/lease-keeper.js';
import type { PackageCache } from '../routing/package-cache.js';
import { errorOf } from '../told-error.js';
import type { Call, Calls, FromProcess, Served, ToProcess } from './messages.js';

/** What an HTTP process that is one of several has from its replica, where a server alone has its own. */
export interface Replica {
  /** Which of the processes this is, from 1 on. */
  readonly slot: number;
  readonly processes: number;
  /** Where the others listen; null: this is the first. */
  readonly port: number | null;
  readonly packages: PackageCache;
  readonly startRunner: (packageDirectory: string) => Promise<Runner>;
  /** Tells the replica, which has the lease, what is served here. */
  createLease(serving: () => Served[]): LeaseKeeper;
  /** The metrics of all processes together. */
  metrics(): Promise<string>;
  /** Has the metrics of this process told to the replica, now and when it asks. */
  count(text: () => string): void;
  /** From now on this process takes requests. */
  ready(url: string, address: AddressInfo): void;
  onProbed(): void;
  /** Calls back once the replica stops; with whether somebody asks if it is ready. */
  onStop(stop: (probed: boolean) => void): void;
  close(): void;
}

const COUNT_EVERY_MS = 1_000;
const SERVING_EVERY_MS = 1_000;
const PROBED_EVERY_MS = 1_000;

/** The process's end of the pipe to the replica that forked it. */
export async function joinReplica(): Promise<Replica> {
  const waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }>();
  let nextId = 0;
  let counting: (() => string) | null = null;
  let stop: ((probed: boolean) => void) | null = null;
  /** Told to stop, before there was anything to stop. */
  let stopped: { readonly probed: boolean } | null = null;
  let probedAt = -Infinity;
  /** The last runner of each package: when another one is asked for, that one will not do. */
  const last = new Map<string, number>();

  const say = (message: FromProcess): void => { if (process.connected) process.send?.(message); };
  const tellCounts = (): void => { if (counting) say({ kind: 'counted', text: counting() }); };
  const ask = <K extends Call>(call: K, argument: Calls[K]['argument']): Promise<Calls[K]['answer']> => new Promise((resolve, reject) => {
    const id = nextId++;
    waiting.set(id, { resolve, reject });
    say({ kind: 'call', id, call, argument } as FromProcess);
  });

  process.on('message', (message: ToProcess) => {
    switch (message.kind) {
      case 'count': return tellCounts();
      case 'stop':
        stopped = message;
        return stop?.(message.probed);
      case 'answer': waiting.get(message.id)?.resolve(message.value as never); break;
      case 'failed': waiting.get(message.id)?.reject(errorOf(message.error)); break;
    }
    waiting.delete(message.id);
  });
  const counter = setInterval(tellCounts, COUNT_EVERY_MS);
  const { slot, processes, port } = await ask('begin', null);

  return {
    slot, processes, port,
    packages: {
      fetch: (name) => ask('fetchPackage', name),
      bytesOf: (name) => ask('packageBytes', name),
      local: (digest) => ask('localPackage', digest),
      discard: async (digest) => { await ask('discardPackage', digest); },
      prune: async (inUse) => { await ask('prunePackages', [...inUse]); },
    },
    async startRunner(packageDirectory) {
      const address = await ask('runner', { packageDirectory, insteadOf: last.get(packageDirectory) ?? null });
      const { pid } = address;
      last.set(packageDirectory, pid);
      const release = (): void => { say({ kind: 'released', pid }); };
      try {
        return await attachRunner(address, {
          onClosed: () => {
            if (last.get(packageDirectory) === pid) last.delete(packageDirectory);
            release();
          },
          onKill: () => { say({ kind: 'kill', pid }); },
        });
      } catch (error) {
        release();
        throw error;
      }
    },
    createLease(serving) {
      let told = '';
      const tell = (): void => {
        const now = serving();
        if (JSON.stringify(now) === told) return;
        told = JSON.stringify(now);
        say({ kind: 'serving', serving: now });
      };
      const timer = setInterval(tell, SERVING_EVERY_MS);
      tell();
      return { report: async () => { tell(); }, held: false, close: async () => { clearInterval(timer); } };
    },
    metrics: () => ask('metrics', null),
    count(text) { counting = text; },
    ready: (url, address) => { say({ kind: 'ready', url, port: address.port }); },
    onProbed() {
      if (performance.now() - probedAt < PROBED_EVERY_MS) return;
      probedAt = performance.now();
      say({ kind: 'probed' });
    },
    onStop(callback) {
      stop = callback;
      if (stopped) callback(stopped.probed);
    },
    close() { clearInterval(counter); },
  };
}
