import { describe, expect, test } from 'vitest';
import { judgeRelease, rollbackTarget, undoIntent } from '../../domain/admission.js';
import type { ReleaseQuestion, RollbackQuestion } from '../../domain/admission.js';
import type { VersionStatus } from '../../domain/version-status.js';

const evidence = 'e'.repeat(64);
const question: ReleaseQuestion = {
  version: { version: 3, status: 'approved' }, environment: 'production',
  decision: { version: 3, environment: 'production', evidence, verdict: 'approve' }, evidence: { digest: evidence, liveGeneration: 7 },
  generation: 7, liveVersion: 2, quarantined: false, paused: false, force: false, frozen: null,
};
const judge = (change: Partial<ReleaseQuestion>) => judgeRelease({ ...question, ...change });
const approval = (change: object) => ({ decision: { version: 3, environment: 'production', evidence, verdict: 'approve' as const, ...change } });
const frozen = { until: '2026-12-27T00:00:00Z', reason: 'holidays' };

describe('a release', () => {
  test('with an approved decision on evidence against what is live is admitted', () => {
    expect(judge({})).toEqual({ admit: true });
    expect(judge({ liveVersion: null, generation: 0, evidence: { digest: evidence, liveGeneration: 0 } })).toEqual({ admit: true });
  });

  test.each<[string, Partial<ReleaseQuestion>, string]>([
    ['without a decision', { decision: null }, 'release/not-approved'],
    ['with a decision on another version', approval({ version: 2 }), 'release/not-approved'],
    ['with a decision for another environment', approval({ environment: 'staging' }), 'release/not-approved'],
    ['with a decision on other evidence', approval({ evidence: 'f'.repeat(64) }), 'release/not-approved'],
    ['that was rejected by decision', approval({ verdict: 'reject' }), 'release/not-approved'],
    ['of a rejected version', { version: { version: 3, status: 'rejected' } }, 'release/not-approved'],
    ['of a quarantined version', { quarantined: true }, 'release/quarantined'],
    ['of a version whose status says so', { version: { version: 3, status: 'quarantined' } }, 'release/quarantined'],
    ['while releases are paused', { paused: true }, 'release/paused'],
    ['in a freeze', { frozen }, 'release/frozen'],
    ['of a version older than what is live', { liveVersion: 4 }, 'release/older-than-live'],
  ])('%s is refused', (_what, change, code) => {
    expect(judge(change)).toMatchObject({ admit: false, code });
  });

  test('on evidence made against something else that was live is stale: judged again', () => {
    expect(judge({ generation: 8 })).toMatchObject({ admit: false, stale: true });
    expect(judge({ generation: 8, liveVersion: null })).toMatchObject({ admit: false, stale: true });
  });

  test('of what is live already is done, though its own release moved the generation', () => {
    expect(judge({ liveVersion: 3, generation: 8 })).toEqual({ admit: true });
  });

  test('that is forced goes past what is live, and past nothing else', () => {
    expect(judge({ force: true, liveVersion: 4, generation: 9 })).toEqual({ admit: true });
    for (const change of [{ decision: null }, { quarantined: true }, { paused: true }, { frozen }]) expect(judge({ force: true, ...change })).toMatchObject({ admit: false });
  });

  test('that can never be is told so, and not to wait for the end of a freeze', () => {
    expect(judge({ frozen, paused: true, quarantined: true })).toMatchObject({ code: 'release/quarantined' });
    expect(judge({ frozen, paused: true, decision: null })).toMatchObject({ code: 'release/not-approved' });
  });

  test('says when the freeze ends', () => {
    expect(judge({ frozen })).toMatchObject({ message: 'production is frozen until 2026-12-27T00:00:00Z: holidays' });
  });
});

describe('a rollback', () => {
  const history = (...served: (number | null)[]): RollbackQuestion['history'] => served.map((version, index) => ({ generation: index + 1, intent: `i${index + 1}`, arms: version === null ? [] : [{ version, role: 'live' as const, share: 1 }] }));
  const versions = (statuses: Record<number, VersionStatus>) => Object.entries(statuses).map(([version, status]) => ({ version: Number(version), status }));
  const good = versions({ 1: 'retired', 2: 'retired', 3: 'live' });

  test('goes to the version that served before', () => {
    expect(rollbackTarget({ history: history(1, 2, 3), versions: good, live: 3, to: null })).toBe(2);
    expect(rollbackTarget({ history: [...history(1, 2, 3)].reverse(), versions: good, live: 3, to: null })).toBe(2);
  });

  test('goes past versions that are quarantined or rejected', () => {
    expect(rollbackTarget({ history: history(1, 2, 3), versions: versions({ 1: 'retired', 2: 'quarantined', 3: 'live' }), live: 3, to: null })).toBe(1);
    expect(rollbackTarget({ history: history(1, 2, 3, 2), versions: versions({ 1: 'retired', 2: 'live', 3: 'quarantined' }), live: 2, to: null })).toBe(1);
    expect(rollbackTarget({ history: history(1, 2), versions: versions({ 1: 'rejected', 2: 'live' }), live: 2, to: null })).toBeNull();
  });

  test('does not go to a version that could not be served', () => {
    const routes = history(1, 2, 3, 2).map((route) => (route.generation === 4 ? { ...route, intent: undoIntent('i3') } : route));
    expect(rollbackTarget({ history: routes, versions: versions({ 1: 'retired', 2: 'live', 3: 'approved' }), live: 2, to: null })).toBe(1);
  });

  test('goes back to the last one when nothing is live', () => {
    expect(rollbackTarget({ history: history(1, 2, null), versions: versions({ 1: 'retired', 2: 'retired' }), live: null, to: null })).toBe(2);
  });

  test('goes to the named version, if it served here and may', () => {
    const to = (version: number) => rollbackTarget({ history: history(1, 2, 3), versions: [...good, { version: 4, status: 'approved' }], live: 3, to: version });
    expect([to(1), to(2), to(3), to(4), to(9)]).toEqual([1, 2, null, null, null]);
  });

  test('has nowhere to go from the first version', () => {
    expect(rollbackTarget({ history: history(1), versions: good, live: 1, to: null })).toBeNull();
    expect(rollbackTarget({ history: [], versions: [], live: null, to: null })).toBeNull();
  });

  test('leaves canary and shadow arms out', () => {
    const routes = [{ generation: 1, intent: 'a', arms: [{ version: 1, role: 'live' as const, share: 1 }, { version: 2, role: 'shadow' as const, share: 0 }] }, ...history(3).map((route) => ({ ...route, generation: 2 }))];
    expect(rollbackTarget({ history: routes, versions: good, live: 3, to: null })).toBe(1);
    expect(rollbackTarget({ history: routes, versions: good, live: 3, to: 2 })).toBeNull();
  });
});
