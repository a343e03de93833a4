import type { RunnerAddress } from '../../runtime/runner/attach.js';
import type { PackageName } from '../routing/package-cache.js';
import type { ToldError } from '../told-error.js';

/** What an HTTP process serves of a model. */
export interface Served { readonly model: string; readonly version: number | null; readonly generation: number }

/** What an HTTP process asks of its replica: argument and answer. */
export interface Calls {
  /** Which of how many processes it is, from 1 on, and the port of those before it; null: none has one yet. */
  readonly begin: { readonly argument: null; readonly answer: { readonly slot: number; readonly processes: number; readonly port: number | null } };
  /** A runner of the package, shared with the other processes; another one than `insteadOf` (a pid). */
  readonly runner: { readonly argument: { readonly packageDirectory: string; readonly insteadOf: number | null }; readonly answer: RunnerAddress };
  readonly fetchPackage: { readonly argument: PackageName; readonly answer: string };
  readonly packageBytes: { readonly argument: PackageName; readonly answer: number };
  readonly localPackage: { readonly argument: string; readonly answer: string | null };
  readonly discardPackage: { readonly argument: string; readonly answer: null };
  readonly prunePackages: { readonly argument: readonly string[]; readonly answer: null };
  /** The metrics of all processes together. */
  readonly metrics: { readonly argument: null; readonly answer: string };
}
export type Call = keyof Calls;

/** From an HTTP process to its replica. All are of one release: the replica forked them. */
export type FromProcess =
  | { readonly [K in Call]: { readonly kind: 'call'; readonly id: number; readonly call: K; readonly argument: Calls[K]['argument'] } }[Call]
  | { readonly kind: 'released' | 'kill'; readonly pid: number }
  | { readonly kind: 'serving'; readonly serving: readonly Served[] }
  | { readonly kind: 'ready'; readonly url: string; readonly port: number }
  | { readonly kind: 'probed' }
  | { readonly kind: 'counted'; readonly text: string };

/** From a replica to its HTTP processes. `count`: send your metrics; `stop`: `probed` says whether somebody asks if the replica is ready. */
export type ToProcess =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ToldError }
  | { readonly kind: 'count' }
  | { readonly kind: 'stop'; readonly probed: boolean };
