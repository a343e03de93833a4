import { expect, test } from 'vitest';
import { shortNames } from '../../cli/experiment/names.js';
import { planOf } from '../../cli/experiment/plan.js';

const plain = { seed: '1', trials: '100', minutes: '240', parallel: '1' };

test('values and ranges are read as people write them', () => {
  expect(planOf({ ...plain, vary: ['training.batchSize=16,32', 'training.schedule=cosine,constant', 'training.hyperparameters.deep=true,false'] }).vary).toEqual([
    { path: 'training.batchSize', values: [16, 32] }, { path: 'training.schedule', values: ['cosine', 'constant'] }, { path: 'training.hyperparameters.deep', values: [true, false] },
  ]);
  expect(planOf({ ...plain, vary: ['training.optimizer.learningRate=1e-5..0.1:log', 'training.epochs=2..9:whole'], draw: '20' }).vary).toEqual([
    { path: 'training.optimizer.learningRate', from: 1e-5, to: 0.1, log: true, whole: false }, { path: 'training.epochs', from: 2, to: 9, log: false, whole: true },
  ]);
});

test.each([
  [{ vary: ['training.batchSize'] }, '--vary: PATH=VALUES'], [{ vary: ['evaluation.gates=1'] }, 'a field below training or network'], [{ folds: '1' }, '--folds'],
  [{ folds: 'five' }, '--folds: a number, found "five"'], [{ trials: '0' }, '--trials'], [{ vary: ['training.epochs=1..x'] }, 'a range is FROM..TO of two numbers'],
  [{ vary: ['training.epochs=2..9'] }, '--draw: how many combinations to draw'],
])('%j is refused', (options, said) => {
  expect(() => planOf({ ...plain, ...options })).toThrow(said);
});

test('parameters are named as shortly as they can be told apart', () => {
  expect(shortNames(['training.optimizer.learningRate', 'network.layers.0.config.units', 'network.layers.1.config.units'])).toEqual(['learningRate', '0.config.units', '1.config.units']);
});
