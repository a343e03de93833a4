import { describe, expect, test } from 'vitest';
import { ModelDefinition } from '../../definition/model.js';
import { describeIssues } from '../../runtime/definition/issues.js';
import { policyDigest, trainingDigest } from '../../runtime/definition/digests.js';
import { tableDefinition } from './support/definitions.js';

interface Parts { target?: unknown; training?: object; gates?: readonly unknown[]; metrics?: readonly string[]; thresholds?: readonly unknown[] }

/** The issues of a definition as intake tells them; none where it is accepted. */
function issuesOf({ target = { task: 'regression', name: 'price' }, training = {}, gates = [{ kind: 'at-most', name: 'error', metric: 'mae', threshold: 2 }], metrics, thresholds = [] }: Parts): string[] {
  const base = tableDefinition(['size']);
  const definition = { ...base, data: { ...base.data, target }, training: { ...base.training, ...training }, evaluation: { gates, ...(metrics ? { metrics } : {}) }, monitoring: { thresholds } };
  const parsed = ModelDefinition.safeParse(definition);
  return parsed.success ? [] : describeIssues(parsed.error.issues, definition, ModelDefinition);
}

describe('a definition of a regression', () => {
  test('is accepted with its own loss, gates and thresholds', () => {
    expect(issuesOf({
      training: { loss: { kind: 'huber', delta: 0.5 } },
      gates: [{ kind: 'at-most', name: 'error', metric: 'rmse', threshold: 2, slice: undefined }, { kind: 'at-least', name: 'explained', metric: 'r2', threshold: 0.6 }, { kind: 'not-worse-than-live', name: 'not-worse', metric: 'mae' }],
      thresholds: [{ name: 'lost', metric: 'mae', above: 3, action: 'retrain' }, { name: 'unexplained', metric: 'r2', below: 0.2 }],
    })).toEqual([]);
  });

  test.each<[string, Parts, string[]]>([
    ['a gate on a figure of classes', { gates: [{ kind: 'at-least', name: 'right', metric: 'accuracy', threshold: 0.8 }] }, ['evaluation.gates[0].metric: expected a figure of a regression (mae, rmse, medianAbsoluteError, mape, r2), found "accuracy"']],
    ['a gate on a class', { gates: [{ kind: 'at-least', name: 'right', metric: 'r2', class: 'yes', threshold: 0.8 }] }, ['evaluation.gates[0].class: expected no class: a regression has none, found "yes"']],
    ['an error that is to be large', { gates: [{ kind: 'at-least', name: 'error', metric: 'mae', threshold: 0.8 }] }, ['evaluation.gates[0].metric: expected one of "accuracy", "precision", "recall", "f1", "r2", found "mae"']],
    ['versions compared by accuracy', { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] }, ['evaluation.gates[0].metric: expected \'mae\', by which versions of a regression are compared, found nothing']],
    ['a threshold on a figure of classes', { thresholds: [{ name: 'lost', metric: 'recall', class: 'yes', below: 0.5 }] }, ['monitoring.thresholds[0].metric: expected a figure of a regression (mae, rmse, medianAbsoluteError, mape, r2), found "recall"', 'monitoring.thresholds[0].class: expected no class: a regression has none, found "yes"']],
    ['an error that must not be small', { thresholds: [{ name: 'lost', metric: 'mae', below: 0.5 }] }, ['monitoring.thresholds[0].metric: expected one of "accuracy", "precision", "recall", "f1", "r2", found "mae"']],
    ['a figure of classes to judge by', { metrics: ['mae', 'f1'] }, ['evaluation.metrics[1]: expected a figure of a regression (mae, rmse, medianAbsoluteError, mape, r2), found "f1"']],
    ['a figure to judge by twice', { metrics: ['r2', 'mae', 'r2'] }, ['evaluation.metrics[2]: expected another name than r2, which is taken, found "r2"']],
    ['classes of a number', { target: { task: 'regression', name: 'price', classes: ['a', 'b'] } }, ['data.target.classes: expected no such field, found ["a","b"]']],
    ['an input that is the target', { target: { task: 'regression', name: 'size' } }, ['data.columns[0]: expected a column other than the target, which is not known when a prediction is asked, found "size"']],
  ])('%s is refused, with its path, what was expected and what was found', (_what, parts, expected) => {
    expect(issuesOf(parts)).toEqual(expected);
  });
});

test('classes have no loss to choose, no error to limit, and a misspelt one is named', () => {
  const target = { name: 'label', classes: ['no', 'yes'] };
  const gates = [{ kind: 'at-least', name: 'right', metric: 'accuracy', threshold: 0.8 }];
  expect(issuesOf({ target, gates, training: { loss: { kind: 'huber' } } })).toEqual([expect.stringMatching(/^training\.loss: expected nothing: classes are trained with cross-entropy, found /)]);
  expect(issuesOf({ target, gates: [{ kind: 'at-most', name: 'error', metric: 'mae', threshold: 1 }] })).toEqual(['evaluation.gates[0].metric: expected a figure of a classification (accuracy, precision, recall, f1), found "mae"']);
  expect(issuesOf({ target, gates: [{ ...gates[0], class: 'maybe' }] })).toEqual(['evaluation.gates[0].class: expected a class of this definition (no, yes), found "maybe"']);
  expect(issuesOf({ target: { task: 'ranking', classes: ['a', 'b'] }, gates })).toEqual([expect.stringMatching(/^data\.target/)]);
});

test('a target that does not name its task is what it always was: the training digest stays', () => {
  expect(trainingDigest(tableDefinition(['size']), null)).toBe('f0ec3d3b3453f793c67b3620fe543a400d41549f7a1d08b47e78ce582f451445');
});

describe('the variants of a definition', () => {
  const asking = (compression: unknown) => ({ ...tableDefinition(['size']), compression });
  const problemsOf = (compression: unknown) => {
    const parsed = ModelDefinition.safeParse(asking(compression));
    return parsed.success ? [] : describeIssues(parsed.error.issues, asking(compression), ModelDefinition);
  };
  const sparse = { kind: 'prune', name: 'sparse', share: 0.5 };

  test.each<[string, unknown, string[]]>([
    ['twice the same name', { variants: ['uint8', sparse, { ...sparse, name: 'uint8' }], allow: { lost: 0.01 } }, ['compression.variants[2]: expected another name than uint8, which is taken, found {"kind":"prune","name":"uint8","share":0.5}']],
    ['the full network\'s name', { variants: [{ ...sparse, name: 'full' }], allow: { lost: 0.01 } }, ['compression.variants[0].name: expected another name than full, which is the network as it was trained, found "full"']],
    ['hyperparameters without a module', { variants: [{ kind: 'distil', name: 'few', network: { hyperparameters: { units: 2 } }, epochs: 1 }], allow: { lost: 0.01 } }, ['compression.variants[0].network: expected `layers`: this network is no module that hyperparameters could be handed to, found {"hyperparameters":{"units":2}}']],
    ['another task\'s figure', { variants: ['uint8'], allow: { metric: 'mae', lost: 0.01 } }, ['compression.allow.metric: expected a figure of a classification (accuracy, precision, recall, f1), found "mae"']],
    ['a form that there is not', { variants: ['int4'], allow: { lost: 0.01 } }, ['compression.variants[0]: expected one of "float16", "uint8" or an object with kind, name, learningRate, store, found "int4"']],
    ['nothing that may be lost', { variants: ['uint8'], allow: {} }, ['compression.allow.lost: expected a number from 0 to 1, found nothing']],
  ])('are refused with %s', (_what, compression, problems) => {
    expect(problemsOf(compression)).toEqual(problems);
  });

  test('change the weights that are served, so they are part of the training digest; without them it is what it was', () => {
    const [none, one, other] = [undefined, { variants: ['uint8'], allow: { lost: 0.01 } }, { variants: ['uint8'], allow: { lost: 0.02 } }].map((compression) => ModelDefinition.parse(asking(compression)));
    if (!none || !one || !other) throw new Error('three definitions were read');
    expect(new Set([none, one, other].map((definition) => trainingDigest(definition, null))).size).toBe(3);
    expect(trainingDigest(tableDefinition(['size']), null)).toBe(trainingDigest(none, null));
    expect(new Set([none, one, other].map(policyDigest)).size).toBe(1);
  });
});
