import { describe, expect, test } from 'vitest';
import { EnvironmentPolicy } from '../../contract/policy.js';
import { Evaluation, Gate } from '../../definition/evaluation.js';
import { Approval, Release } from '../../definition/operation.js';
import { tighten } from '../../domain/policy.js';

const policy = (fields: object = {}) => EnvironmentPolicy.parse({ v: 1, ...fields });
const gate = (fields: object) => Gate.parse({ kind: 'at-least', name: 'floor', metric: 'accuracy', threshold: 0.9, ...fields });
const definition = ({ approval = {}, gates = [gate({ name: 'own' })], slices = [] as string[] } = {}) => ({
  approval: Approval.parse(approval), release: Release.parse({}),
  evaluation: Evaluation.parse({ gates, slices: slices.map((name) => ({ name, where: { light: name } })) }), data: { target: { name: 'label', classes: ['car', 'truck'] } },
});
function problems(...args: Parameters<typeof tighten>): string[] {
  const result = tighten(...args);
  return result.ok ? [] : result.problems;
}

describe('a definition that asks for less than its environment', () => {
  test('may not ask for approval without a person', () => {
    expect(problems(policy(), definition({ approval: { automatic: true } }))).toEqual([expect.stringMatching(/^approval\.automatic: /)]);
    expect(problems(policy({ automaticApproval: true }), definition({ approval: { automatic: true } }))).toEqual([]);
  });

  test('may not wait longer', () => {
    expect(problems(policy({ maximumDeadlineMs: 86_400_000 }), definition({ approval: { deadline: '7d' } }))).toEqual(['approval.deadline: 7d is longer than the environment\'s 1d']);
    expect(problems(policy({ maximumDeadlineMs: 86_400_000 }), definition({ approval: { deadline: '1d' } }))).toEqual([]);
  });

  test.each<[string, object, object]>([
    ['lower its threshold', {}, { threshold: 0.89 }],
    ['change its metric', {}, { metric: 'recall' }],
    ['change its rows', {}, { minimumRows: 99_999 }],
    ['narrow it to a slice', {}, { slice: 'day' }],
    ['narrow it to a class', {}, { class: 'car' }],
    ['change its kind', {}, { kind: 'not-worse-than-live', metric: 'accuracy' }],
    ['widen its margin', { kind: 'not-worse-than-live', margin: 0.01 }, { kind: 'not-worse-than-live', margin: 0.02 }],
  ])('may not take the name of a gate and %s', (_what, floor, stated) => {
    const clean = (fields: object) => Gate.parse({ ...('kind' in fields ? { name: 'floor' } : { kind: 'at-least', name: 'floor', metric: 'accuracy', threshold: 0.9 }), ...fields });
    expect(problems(policy({ gates: [clean(floor)] }), definition({ gates: [clean(stated)], slices: ['day'] }))).toEqual([expect.stringContaining('"floor"')]);
  });

  test('may not leave out what a gate of the environment is about', () => {
    expect(problems(policy({ gates: [gate({ slice: 'night' })] }), definition())).toEqual([expect.stringContaining('slice "night"')]);
    expect(problems(policy({ gates: [gate({ slice: 'night' })] }), definition({ gates: [gate({ slice: 'night' })] }))).toEqual([expect.stringContaining('slice "night"')]);
    expect(problems(policy({ gates: [gate({ class: 'bus' })] }), definition())).toEqual([expect.stringContaining('class "bus"')]);
    expect(problems(policy({ gates: [gate({ slice: 'night', class: 'car' })] }), definition({ slices: ['night'] }))).toEqual([]);
  });

  test('may not judge other rows than a gate of the environment on a frozen test set, nor leave the set out', () => {
    const floor = policy({ gates: [gate({ frozen: 'q3' })] });
    expect(problems(floor, definition())).toEqual([expect.stringContaining('judges the frozen test set "q3", which evaluation.frozen does not name')]);
    const named = definition({ gates: [gate({})] });
    expect(problems(floor, { ...named, evaluation: { ...named.evaluation, frozen: ['q3'] } })).toEqual([expect.stringContaining('is about the frozen test set q3, not the test rows')]);
    expect(problems(floor, { ...named, evaluation: { ...named.evaluation, frozen: ['q3'], gates: [] } })).toEqual([]);
  });

  test('hears of all problems at once', () => {
    expect(problems(policy({ maximumDeadlineMs: 1, gates: [gate({})] }), definition({ approval: { automatic: true }, gates: [gate({ threshold: 0.1 })] }))).toHaveLength(3);
  });
});

describe('what holds for a candidate', () => {
  test('is the environment\'s gates and the definition\'s, each once, the stricter where both state it', () => {
    const result = tighten(policy({ gates: [gate({}), gate({ name: 'everywhere' })], approvers: ['ada'] }), definition({ gates: [gate({ name: 'own' }), gate({ threshold: 0.95 })] }));
    expect(result.ok && result.effective.gates.map((entry) => [entry.name, entry.kind === 'at-least' && entry.threshold])).toEqual([['floor', 0.95], ['everywhere', 0.9], ['own', 0.9]]);
    expect(result.ok && result.effective.approvers).toEqual(['ada']);
  });

  test('has the floors whose metric it has: one on accuracy says nothing of a regression', () => {
    const floors = policy({ gates: [gate({}), Gate.parse({ kind: 'not-worse-than-live', name: 'no-step-back', metric: 'mae', margin: 0.05 })] });
    const names = (result: ReturnType<typeof tighten>) => result.ok && result.effective.gates.map(({ name }) => name);
    expect(names(tighten(floors, definition()))).toEqual(['floor', 'own']);
    const own = Gate.parse({ kind: 'at-most', name: 'error', metric: 'mae', threshold: 2 });
    expect(names(tighten(floors, { ...definition({ gates: [own] }), data: { target: { task: 'regression', name: 'rent', scale: 'standard' } } }))).toEqual(['no-step-back', 'error']);
  });

  test('is approved without a person only where both say so', () => {
    for (const [allowed, asked] of [[true, true], [true, false], [false, false]] as const) {
      const result = tighten(policy({ automaticApproval: allowed }), definition({ approval: { automatic: asked } }));
      expect(result.ok && result.effective.automatic).toBe(allowed && asked);
    }
  });

  test('carries the times in milliseconds', () => {
    expect(tighten(policy(), definition({ approval: { deadline: '2d', reminderAfter: '12h' } }))).toMatchObject({ ok: true, effective: { deadlineMs: 172_800_000, reminderAfterMs: 43_200_000, keepWarmMs: 900_000 } });
  });
});
