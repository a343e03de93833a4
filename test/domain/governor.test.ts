import { describe, expect, test } from 'vitest';
import type { RunStatus } from '../../contract/run.js';
import { TrainRequest } from '../../contract/signals.js';
import { acceptRequest, decideNext, EMPTY_GOVERNOR, recordDrop, recordStart, recordStatus, recordSuperseding } from '../../domain/governor.js';
import type { GovernorPolicy, GovernorState } from '../../domain/governor.js';
import { createSampler } from '../../domain/sampling.js';

type Kind = TrainRequest['reason']['kind'];
const POLICY: GovernorPolicy = { cooldownMs: 1_000, debounceMs: 100, newer: 'supersede', budget: { runs: 3, perMs: 10_000 } };

function request(kind: Kind, id: string, fields: { cause?: string; force?: boolean } = {}): TrainRequest {
  const { cause = `${kind}/${id}`, force = false } = fields;
  return TrainRequest.parse({ v: 1, id, cause, commit: kind === 'commit' ? 'c'.repeat(40) : null, reason: { kind, detail: '', by: 'ada', force } });
}
const arrive = (state: GovernorState, ...requests: [TrainRequest, number][]) => requests.reduce((next, [one, at]) => acceptRequest(next, one, at), state);
const started = (state: GovernorState, one: TrainRequest, run: string, at: number) => recordStart(state, { request: one, run, at });

describe('requests that come alone', () => {
  test('a commit waits out the debounce, then starts', () => {
    const a = request('commit', 'a');
    const state = arrive(EMPTY_GOVERNOR, [a, 1_000]);
    expect(decideNext(state, 1_040, POLICY)).toEqual({ kind: 'wait', ms: 60 });
    expect(decideNext(state, 1_100, POLICY)).toEqual({ kind: 'start', request: a });
    expect(decideNext(state, 1_000, { ...POLICY, debounceMs: 0 })).toEqual({ kind: 'start', request: a });
  });

  test('a person\'s request starts at once, in spite of cooldown and budget', () => {
    const one = request('request', 'r');
    const state: GovernorState = { ...arrive(EMPTY_GOVERNOR, [one, 5_000]), starts: [4_997, 4_998, 4_999].map((at, run) => ({ run: `run-${run}`, at })) };
    expect(decideNext(state, 5_000, POLICY)).toEqual({ kind: 'start', request: one });
  });

  test.each<Kind>(['drift', 'loss', 'schedule', 'data'])('%s waits out the cooldown', (kind) => {
    const one = request(kind, 'd');
    const state: GovernorState = { ...arrive(EMPTY_GOVERNOR, [one, 5_000]), starts: [{ run: 'before', at: 4_800 }] };
    expect(decideNext(state, 5_000, POLICY)).toEqual({ kind: 'wait', ms: 800 });
    expect(decideNext(state, 5_800, POLICY)).toEqual({ kind: 'start', request: one });
    expect(decideNext(arrive(EMPTY_GOVERNOR, [one, 5_000]), 5_000, POLICY)).toEqual({ kind: 'start', request: one });
  });

  test('drift waits until the budget has room', () => {
    const state: GovernorState = { ...arrive(EMPTY_GOVERNOR, [request('drift', 'd'), 9_000]), starts: [1_000, 3_000, 5_000].map((at, run) => ({ run: `run-${run}`, at })) };
    expect(decideNext(state, 9_000, POLICY)).toEqual({ kind: 'wait', ms: 2_000 });
    expect(decideNext(state, 11_000, POLICY)).toMatchObject({ kind: 'start' });
    expect(decideNext({ ...state, starts: state.starts.slice(1) }, 9_000, POLICY)).toMatchObject({ kind: 'start' });
  });

  test('nothing to do is idle', () => {
    expect(decideNext(EMPTY_GOVERNOR, 0, POLICY)).toEqual({ kind: 'idle' });
  });

  test('a run that ended without training spends neither cooldown nor budget', () => {
    const commit = request('commit', 'a');
    for (const [status, kind] of [['applied', 'start'], ['unchanged', 'start'], ['refused', 'start'], ['failed', 'wait'], ['released', 'wait']] as const) {
      const state = arrive(recordStatus(started(arrive(EMPTY_GOVERNOR, [commit, 0]), commit, 'run-1', 100), 'run-1', status), [request('drift', 'd'), 200]);
      expect(decideNext(state, 200, POLICY).kind).toBe(kind);
    }
  });
});

describe('requests that meet', () => {
  const [a, b] = [request('commit', 'a'), request('commit', 'b')];

  test.each(['supersede', 'queue'] as const)('a commit that is told of after one that comes after it is not trained, whatever became of that one (%s)', (newer) => {
    const policy = { ...POLICY, debounceMs: 0, newer };
    const older: TrainRequest = { ...a, commit: 'a'.repeat(40) };
    const later: TrainRequest = { ...b, commit: 'b'.repeat(40), ancestors: ['d'.repeat(40), 'a'.repeat(40)] };
    const drop = { kind: 'drop', request: older, outcome: 'superseded', into: { cause: later.cause } };
    const pending = arrive(EMPTY_GOVERNOR, [later, 0], [older, 1]);
    expect(decideNext(pending, 1, policy)).toEqual(drop);
    expect(decideNext(recordDrop(pending, older), 1, policy)).toEqual({ kind: 'start', request: later });
    const running = started(arrive(EMPTY_GOVERNOR, [later, 0]), later, 'run-1', 0);
    expect(decideNext(arrive(running, [older, 1]), 1, policy)).toEqual(drop);
    expect(decideNext(arrive(recordStatus(running, 'run-1', 'failed'), [older, 1]), 1, policy)).toEqual(drop);
  });

  test('of two commits within the debounce the newest wins, and the older one is recorded', () => {
    let state = arrive(EMPTY_GOVERNOR, [a, 0], [b, 50]);
    expect(decideNext(state, 60, { ...POLICY, newer: 'queue' })).toEqual({ kind: 'drop', request: a, outcome: 'superseded', into: b });
    state = recordDrop(state, a);
    expect(decideNext(state, 60, POLICY)).toEqual({ kind: 'wait', ms: 90 });
    expect(decideNext(state, 150, POLICY)).toEqual({ kind: 'start', request: b });
  });

  test('commits further apart both run where newer ones queue', () => {
    const state = arrive(EMPTY_GOVERNOR, [a, 0], [b, 100]);
    expect(decideNext(state, 100, { ...POLICY, newer: 'queue' })).toEqual({ kind: 'start', request: a });
    expect(decideNext(state, 100, POLICY)).toMatchObject({ kind: 'drop', request: a });
  });

  test('drift and loss ask for the same run; a forced one does not', () => {
    const [drift, loss, forced] = [request('drift', 'd'), request('loss', 'l'), request('schedule', 's', { force: true })];
    const state = arrive(EMPTY_GOVERNOR, [drift, 0], [loss, 1], [forced, 2]);
    expect(decideNext(state, 5, POLICY)).toEqual({ kind: 'drop', request: loss, outcome: 'merged', into: drift });
    expect(decideNext(recordDrop(state, loss), 5, POLICY)).toEqual({ kind: 'start', request: drift });
  });

  test('people go before automatic reasons, and a commit in its debounce holds up nobody', () => {
    const [drift, asked] = [request('drift', 'd'), request('request', 'r')];
    expect(decideNext(arrive(EMPTY_GOVERNOR, [drift, 0], [asked, 1]), 5, POLICY)).toEqual({ kind: 'start', request: asked });
    expect(decideNext(arrive(EMPTY_GOVERNOR, [drift, 0], [a, 1]), 5, POLICY)).toEqual({ kind: 'start', request: drift });
  });

  test('the same id or the same cause asks once, also after it was settled', () => {
    const pending = arrive(EMPTY_GOVERNOR, [a, 0]);
    const running = started(pending, a, 'run-1', 100);
    const over = recordStatus(running, 'run-1', 'released');
    for (const state of [pending, running, over]) {
      expect(acceptRequest(state, a, 500)).toBe(state);
      expect(acceptRequest(state, request('commit', 'other', { cause: a.cause }), 500)).toBe(state);
      expect(acceptRequest(state, request('request', a.id), 500)).toBe(state);
    }
  });

  test('a cause that had its run before is settled without a start', () => {
    const state = recordStart(arrive(EMPTY_GOVERNOR, [a, 0]), { request: a, run: 'run-1', at: 100, open: false });
    expect(state).toMatchObject({ pending: [], open: [], starts: [], handledCauses: [a.cause] });
  });

  test('what is remembered is bounded', () => {
    let state = EMPTY_GOVERNOR;
    for (let id = 0; id < 1_200; id += 1) { const one = request('request', `r${id}`); state = recordStatus(started(arrive(state, [one, id]), one, `run-${id}`, id), `run-${id}`, 'released'); }
    expect([state.handledIds.length, state.handledCauses.length, state.starts.length, state.open.length]).toEqual([1_000, 1_000, 1_000, 0]);
  });
});

describe('while a run is open', () => {
  const [a, b] = [request('commit', 'a'), request('commit', 'b')];
  const running = started(arrive(EMPTY_GOVERNOR, [a, 0]), a, 'run-1', 100);

  test('a newer commit stops it, once it is through its debounce, and starts when it has ended', () => {
    let state = arrive(running, [b, 200]);
    expect(decideNext(state, 250, POLICY)).toEqual({ kind: 'wait', ms: 50 });
    expect(decideNext(state, 300, POLICY)).toEqual({ kind: 'supersede', run: 'run-1', by: b });
    state = recordSuperseding(state, 'run-1');
    expect(decideNext(state, 300, POLICY)).toEqual({ kind: 'idle' });
    expect(decideNext(recordStatus(state, 'run-1', 'superseded'), 400, POLICY)).toEqual({ kind: 'start', request: b });
  });

  test('a newer commit waits for its end where newer ones queue', () => {
    const state = arrive(running, [b, 200]);
    expect(decideNext(state, 5_000, { ...POLICY, newer: 'queue' })).toEqual({ kind: 'idle' });
    expect(decideNext(recordStatus(state, 'run-1', 'failed'), 5_000, { ...POLICY, newer: 'queue' })).toEqual({ kind: 'start', request: b });
  });

  test('anything but a commit waits for its end', () => {
    for (const kind of ['request', 'drift'] as const) expect(decideNext(arrive(running, [request(kind, 'x'), 200]), 50_000, POLICY)).toEqual({ kind: 'idle' });
  });

  test('one that waits for its decision is left alone, and the next starts beside it', () => {
    const waiting = recordStatus(running, 'run-1', 'waiting');
    expect(decideNext(arrive(waiting, [b, 200]), 300, POLICY)).toEqual({ kind: 'start', request: b });
    expect(decideNext(arrive(recordStatus(waiting, 'run-1', 'running'), [b, 200]), 300, POLICY)).toEqual({ kind: 'start', request: b });
  });
});

describe('whatever comes, in whatever order', () => {
  const KINDS: Kind[] = ['commit', 'commit', 'request', 'drift', 'loss', 'schedule', 'data'];
  const ENDS: RunStatus[] = ['released', 'rejected', 'expired', 'failed', 'applied', 'unchanged', 'cancelled'];

  test.each(['supersede', 'queue'] as const)('no request is lost and no cause starts twice (%s)', (newer) => {
    const policy = { ...POLICY, newer };
    for (let seed = 0; seed < 120; seed += 1) {
      const sampler = createSampler(seed);
      let state = EMPTY_GOVERNOR;
      let now = 0;
      const asked = new Map<string, TrainRequest>();
      const starts: { request: TrainRequest; at: number; run: string }[] = [];
      const drops: { request: TrainRequest; into: Pick<TrainRequest, 'cause'> }[] = [];

      const drive = () => {
        for (let step = decideNext(state, now, policy); step.kind !== 'wait' && step.kind !== 'idle'; step = decideNext(state, now, policy)) {
          if (step.kind === 'start') {
            const run = `run-${starts.length}`;
            const automatic = step.request.reason.kind !== 'commit' && step.request.reason.kind !== 'request';
            const last = state.starts.at(-1);
            if (automatic && last) expect(now - last.at).toBeGreaterThanOrEqual(policy.cooldownMs);
            if (automatic) expect(state.starts.filter((start) => start.at > now - policy.budget.perMs).length).toBeLessThan(policy.budget.runs);
            expect(state.open.every((open) => open.status === 'waiting')).toBe(true);
            starts.push({ request: step.request, at: now, run });
            state = recordStart(state, { request: step.request, run, at: now });
          } else if (step.kind === 'drop') {
            drops.push(step);
            state = recordDrop(state, step.request);
          } else {
            expect(state.open.find((open) => open.run === step.run)?.status).toBe('running');
            state = recordSuperseding(state, step.run);
          }
          state = JSON.parse(JSON.stringify(state)) as GovernorState; // carried over as data
        }
      };
      const end = (status?: RunStatus) => {
        const open = state.open[sampler.below(Math.max(1, state.open.length))];
        if (open) state = recordStatus(state, open.run, open.status === 'ending' ? 'superseded' : (status ?? ENDS[sampler.below(ENDS.length)] ?? 'failed'));
      };

      for (let event = 0; event < 60; event += 1) {
        now += sampler.below(400);
        const what = sampler.below(10);
        if (what < 6) {
          const kind = KINDS[sampler.below(KINDS.length)] ?? 'commit';
          const id = sampler.below(40);
          const repeated = [...asked.values()][id];
          const one = sampler.below(4) === 0 && repeated ? repeated : request(kind, `id-${event}`, { cause: `cause-${sampler.below(50)}`, force: sampler.below(8) === 0 });
          if (!asked.has(one.cause)) asked.set(one.cause, one);
          state = acceptRequest(state, one, now);
        } else if (what < 8) end();
        else end('waiting');
        drive();
      }
      for (let turn = 0; turn < 400 && (state.pending.length > 0 || state.open.length > 0); turn += 1) { now += 2_000; end(); drive(); }

      expect(state.pending).toEqual([]);
      const outcomes = [...starts.map(({ request: one }) => one.cause), ...drops.map(({ request: one }) => one.cause)];
      expect(new Set(outcomes).size).toBe(outcomes.length);
      expect(outcomes.sort()).toEqual([...asked.keys()].sort());
      // Every dropped request is answered, at the end of its chain, by one that started.
      const into = new Map(drops.map((drop) => [drop.request.cause, drop.into.cause]));
      for (const cause of into.keys()) {
        let answer = cause;
        for (let hop = into.get(answer); hop !== undefined; hop = into.get(answer)) answer = hop;
        expect(starts.some(({ request: one }) => one.cause === answer)).toBe(true);
      }
    }
  });
});
