import type { EndStatus } from '../../activities/record/index.js';
import type { RunError } from '../../contract/run.js';

export interface Seen {
  steps: string[]; mails: string[]; refused: unknown[]; ended: { status: EndStatus; message: string; error?: RunError | undefined } | null;
  statuses: string[]; releases: { id: string; version: number }[]; versionMoves: string[];
}

const ref = { uri: 's3://bucket/key', sha256: 'a'.repeat(64), bytes: 1 };
const DAY = 86_400_000;

/**
 * Answers of the activities for a workflow test: the workflow's decisions are under test here; the activities themselves
 * are tested on real parts elsewhere.
 */
export function lifecycleActivities(seen: Seen, overrides: Record<string, (...args: never[]) => unknown> = {}) {
  let round = 0;
  return {
    planRun: async () => ({ commit: 'c'.repeat(40), environment: 'production', automatic: false, deadlineMs: 7 * DAY, reminderMs: 2 * DAY, keepWarmMs: 900_000 }),
    enterStep: async ({ step }: { step: string }) => { seen.steps.push(step); },
    buildSnapshot: async () => ({ digest: 'd'.repeat(64), rows: 10, reused: false, blocked: false, report: { v: 1, blocked: false, findings: [] } }),
    admitSnapshot: async () => undefined,
    trainedBefore: async () => ({ kind: 'new' }),
    quickPass: async () => undefined,
    train: async () => ({ files: [{ path: 'model.json', ref }] }),
    quantizeVariant: async ({ variant }: { variant: string }) => ({ files: [{ path: `${variant}.json`, ref }] }),
    trainVariant: async ({ variant }: { variant: string }) => ({ files: [{ path: `${variant}.json`, ref }] }),
    chooseVariant: async ({ full }: { full: unknown }) => ({ candidate: full, name: 'full', because: '' }),
    evaluateCandidate: async () => ({ verdict: 'pass', summary: 'gates: pass', expected: ref }),
    evaluateAgain: async () => ({ verdict: 'pass', summary: 'gates: pass', expected: ref }),
    packageCandidate: async () => ({ digest: 'e'.repeat(64), manifest: ref, environment: ref }),
    registerVersion: async () => ({ version: 1 }),
    acquireTestSlot: async () => true,
    deployToTest: async () => undefined,
    testOverHttp: async () => ({ passed: true }),
    releaseTestSlot: async () => undefined,
    recordTested: async ({ passed }: { passed: boolean }) => { seen.versionMoves.push(passed ? 'tested' : 'rejected'); },
    recordApproved: async () => { seen.versionMoves.push('approved'); },
    recordRejected: async () => { seen.versionMoves.push('rejected'); },
    sealEvidence: async () => { round += 1; return { digest: String(round).repeat(64).slice(0, 64), deadline: '2030-01-01T00:00:00.000Z', waitMs: 7 * DAY, allPassed: true }; },
    mailApprovers: async ({ about }: { about: string }) => { seen.mails.push(about); },
    mailCommitter: async ({ about }: { about: string }) => { seen.mails.push(`committer:${about}`); },
    admitDecision: async ({ payload }: { payload: { verdict?: string } | null }) => {
      if (payload?.verdict === 'approve' || payload?.verdict === 'reject') return { accepted: true, verdict: payload.verdict };
      seen.refused.push(payload);
      return { accepted: false };
    },
    approveAutomatically: async () => ({ accepted: true }),
    requestRelease: async ({ request }: { request: { id: string; version: number } }) => { seen.releases.push({ id: request.id, version: request.version }); },
    tellGovernor: async ({ status }: { status: string }) => { seen.statuses.push(status); },
    endRun: async ({ status, message, error }: { status: EndStatus; message: string; error?: RunError }) => { seen.ended = { status, message, error }; },
    applyPolicy: async () => undefined,
    keepMonitor: async () => undefined,
    anchorLedger: async () => undefined,
    discardCheckpoints: async () => undefined,
    ...overrides,
  };
}

export function nothingSeen(): Seen {
  return { steps: [], mails: [], refused: [], ended: null, statuses: [], releases: [], versionMoves: [] };
}
