import { expect, test } from 'vitest';
import { ExperimentPlan, type Trial } from '../../contract/experiment.js';
import { ModelDefinition } from '../../definition/model.js';
import { bestOf, metricsOf, standingsOf, trialsOf, trialsPlanned } from '../../domain/experiment.js';

const RATE = 'training.optimizer.learningRate';
const plan = (fields: Record<string, unknown>) => ExperimentPlan.parse(fields);

test('every combination of the values, each on every fold, up to the budget', () => {
  const search = plan({ vary: [{ path: RATE, values: [0.1, 0.01] }, { path: 'training.batchSize', values: [8, 16, 32] }], folds: 2, budget: { trials: 7 } });
  expect(trialsPlanned(search)).toBe(12);
  expect(trialsOf(search).map(({ trial, combination, fold, parameters }) => [trial, combination, fold, ...Object.values(parameters)])).toEqual([
    [1, 1, 0, 0.1, 8], [2, 1, 1, 0.1, 8], [3, 2, 0, 0.1, 16], [4, 2, 1, 0.1, 16], [5, 3, 0, 0.1, 32], [6, 3, 1, 0.1, 32], [7, 4, 0, 0.01, 8],
  ]);
  expect(trialsOf(plan({}))).toEqual([{ trial: 1, combination: 1, parameters: {}, fold: null }]);
});

test('draws lie in their range, evenly over its logarithm, and more of them begin with the same', () => {
  const drawn = (draw: number, seed = 3) => trialsOf(plan({ vary: [{ path: RATE, from: 1e-5, to: 1e-1, log: true }, { path: 'training.epochs', from: 2, to: 5, whole: true }], draw, seed, budget: { trials: 500 } })).map(({ parameters }) => parameters);
  const [few, many] = [drawn(10), drawn(400)];
  expect(many.slice(0, 10)).toEqual(few);
  expect(drawn(10, 4)).not.toEqual(few);
  const rates = many.map((parameters) => Number(parameters[RATE])).sort((a, b) => a - b);
  expect([rates[0], rates.at(-1)].every((rate) => rate !== undefined && rate >= 1e-5 && rate <= 1e-1)).toBe(true);
  expect(Math.abs(Math.log10(rates[200] ?? 0) + 3)).toBeLessThan(0.3); // the median of four decades lies in their middle
  expect([2, 3, 4, 5].map((epochs) => many.filter((parameters) => parameters['training.epochs'] === epochs).length).every((count) => count > 60 && count < 140)).toBe(true);
});

test('a plan that makes no sense is refused', () => {
  for (const wrong of [{ vary: [{ path: RATE, from: 1, to: 2 }] }, { draw: 3 }, { vary: [{ path: 'evaluation.gates', values: [1] }] }, { vary: [{ path: RATE, values: [1] }, { path: RATE, values: [2] }] }, { vary: [{ path: RATE, from: 0, to: 1, log: true }], draw: 2 }, { folds: 1 }, { vary: [{ path: 'network.module', values: ['./other.ts'] }] }, { vary: [{ path: 'training.epochs', from: 1.5, to: 3, whole: true }], draw: 2 }, { budget: { trials: 0 } }, { budget: { minutes: 0 } },
    { vary: ['training.epochs', 'training.batchSize', 'training.seed'].map((path) => ({ path, values: Array.from({ length: 20 }, (_none, index) => index + 1) })) }]) {
    expect(ExperimentPlan.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});

const definition = ModelDefinition.parse({
  schema: 1, name: 'iris', owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'tells kinds',
  data: { kind: 'table', target: { name: 'kind', classes: ['a', 'b'] }, columns: ['x'], sources: [{ kind: 'csv', location: 'rows', path: 'a.csv', key: 'id', split: 'train' }] },
  network: { layers: [{ className: 'Dense', config: { units: 4 } }] }, training: { optimizer: { kind: 'adam', learningRate: 0.1 }, epochs: 3, batchSize: 8, seed: 1 },
  evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
});

const trial = (combination: number, figures: Record<string, number>, status: Trial['status'] = 'done'): Trial => ({
  trial: 1, combination, parameters: { [RATE]: combination }, fold: 0, status, progress: null, figures, rows: 10, error: null, startedAt: '2026-11-21T09:00:00.000Z', endedAt: '2026-11-21T09:00:10.000Z',
});

test('combinations stand in the order of their means, with the deviation over folds; those that miss a fold behind, those without a result last', () => {
  const trials = [
    trial(1, { accuracy: 0.8, 'night/rmse': 2 }), trial(1, { accuracy: 0.9, 'night/rmse': 4 }), trial(2, { accuracy: 0.7, 'night/rmse': 1 }), trial(2, { accuracy: 0.8, 'night/rmse': 2 }),
    trial(3, {}, 'failed'), trial(4, { accuracy: 0.99, 'night/rmse': 0 }), trial(4, {}, 'failed'),
  ];
  const standings = standingsOf(trials, 'accuracy', { folds: 2 });
  expect(standings.map(({ combination, complete, done, failed, seconds }) => [combination, complete, done, failed, seconds])).toEqual([[1, true, 2, 0, 20], [2, true, 2, 0, 20], [4, false, 1, 1, 20], [3, false, 0, 1, 10]]);
  expect(standings[0]?.mean).toBeCloseTo(0.85, 12);
  expect(standings[0]?.deviation).toBeCloseTo(Math.sqrt(0.005), 12); // of 0.8 and 0.9 with n - 1
  expect(standings[2]?.deviation).toBeNull();
  expect(bestOf(standings)).toBe(1);
  expect(standingsOf(trials, 'night/rmse', { folds: 2 }).map(({ combination }) => combination)).toEqual([2, 1, 4, 3]); // less is better
  expect(bestOf(standingsOf([trial(4, { accuracy: 1 }), trial(4, {}, 'running')], 'accuracy', { folds: 2 }))).toBeNull();
});

test('a figure of the task decides, also one of a slice', () => {
  const sliced = { ...definition, evaluation: { ...definition.evaluation, slices: [{ name: 'night', where: {} }] } };
  expect(metricsOf(sliced)).toEqual(['accuracy', 'precision', 'recall', 'f1', 'night/accuracy', 'night/precision', 'night/recall', 'night/f1']);
  expect(metricsOf({ ...sliced, evaluation: { ...sliced.evaluation, metrics: ['f1'] } })[0]).toBe('f1');
  expect(metricsOf({ ...definition, data: { ...definition.data, target: { task: 'regression', name: 'price', scale: 'standard' } } as ModelDefinition['data'] })[0]).toBe('mae');
});
