import type { Route } from '../contract/route.js';
import type { ErrorCode } from '../contract/errors.js';
import type { VersionStatus } from './version-status.js';

/** Everything admission looks at, read in one go. */
export interface ReleaseQuestion {
  readonly version: { readonly version: number; readonly status: VersionStatus };
  readonly environment: string;
  /** The accepted decision on the release's evidence; null when there is none. */
  readonly decision: { readonly version: number; readonly environment: string; readonly evidence: string; readonly verdict: 'approve' | 'reject' } | null;
  /** What is to be released on; `liveGeneration` is the route's generation it was made against, 0 when there was no route. */
  readonly evidence: { readonly digest: string; readonly liveGeneration: number };
  /** Generation of the route now, 0 when there is none. */
  readonly generation: number;
  readonly liveVersion: number | null;
  /** By the version's status, or by an operator. */
  readonly quarantined: boolean;
  readonly paused: boolean;
  /** An operator releases an older version on purpose. Goes past what is live, never past approval, quarantine, pause or freeze. */
  readonly force: boolean;
  /** The freeze window that now falls into; null when none. */
  readonly frozen: { readonly until: string; readonly reason: string } | null;
}

export type ReleaseAnswer =
  | { readonly admit: true }
  | { readonly admit: false; readonly stale: true; readonly message: string }
  | { readonly admit: false; readonly stale?: false; readonly code: ErrorCode; readonly message: string };

/**
 * The one choke point before a route changes. What can never be released comes first, what only has to wait (pause, freeze) next,
 * and staleness last, because judging again is work.
 */
export function judgeRelease({ version, environment, decision, evidence, generation, liveVersion, quarantined, paused, force, frozen }: ReleaseQuestion): ReleaseAnswer {
  const named = `version ${version.version}`;
  const refuse = (code: ErrorCode, message: string): ReleaseAnswer => ({ admit: false, code, message });
  if (quarantined || version.status === 'quarantined') return refuse('release/quarantined', `${named} is quarantined`);
  if (version.status === 'rejected') return refuse('release/not-approved', `${named} was rejected`);
  const approved = decision?.verdict === 'approve' && decision.version === version.version && decision.environment === environment && decision.evidence === evidence.digest;
  if (!approved) return refuse('release/not-approved', `${named} has no approved decision for ${environment} on evidence ${evidence.digest.slice(0, 12)}`);
  if (paused) return refuse('release/paused', `releases to ${environment} are paused`);
  if (frozen) return refuse('release/frozen', `${environment} is frozen until ${frozen.until}: ${frozen.reason}`);
  // A repeated release of what is live is done, not stale: it was its own release that moved the generation.
  if (version.version === liveVersion || force) return { admit: true };
  if (liveVersion !== null && version.version < liveVersion) return refuse('release/older-than-live', `${named} is older than version ${liveVersion}, which is live`);
  if (evidence.liveGeneration !== generation) return { admit: false, stale: true, message: `${named} was judged against generation ${evidence.liveGeneration} of ${environment}, which is at ${generation}` };
  return { admit: true };
}

/** The intent under which a route that could not be served is taken back; {@link rollbackTarget} knows by it that it never served. */
export function undoIntent(intent: string): string {
  return `${intent}/undo`;
}

export interface RollbackQuestion {
  /** Every route of the model in this environment, in any order. */
  readonly history: readonly Pick<Route, 'generation' | 'intent' | 'arms'>[];
  readonly versions: readonly { readonly version: number; readonly status: VersionStatus }[];
  readonly live: number | null;
  /** The version an operator names; null for the one before. */
  readonly to: number | null;
}

/**
 * Where a rollback goes: the version that served most recently before the live one (or the named one, if it ever served) and is
 * neither quarantined nor rejected; null when there is none. Versions whose release was taken back at once did not serve.
 */
export function rollbackTarget({ history, versions, live, to }: RollbackQuestion): number | null {
  const undone = new Set(history.map(({ intent }) => intent));
  const usable = new Set(versions.filter(({ status }) => status !== 'quarantined' && status !== 'rejected').map(({ version }) => version));
  const served = [...history]
    .sort((a, b) => b.generation - a.generation)
    .filter(({ intent }) => !undone.has(undoIntent(intent)))
    .flatMap(({ arms }) => arms.filter(({ role }) => role === 'live').sort((a, b) => b.share - a.share).map(({ version }) => version));
  return served.find((version) => version !== live && usable.has(version) && (to === null || version === to)) ?? null;
}
