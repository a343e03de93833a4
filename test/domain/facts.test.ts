import { expect, test } from 'vitest';
import { flatten, sideBySide } from '../../domain/facts.js';

test('a definition becomes named facts: lists by what names their items', () => {
  const layers = [{ className: 'conv2d', config: { filters: 8, strides: [2, 2], useBias: false } }, { className: 'flatten', config: {} }];
  expect(flatten({ optimizer: { kind: 'adam', learningRate: 0.001 }, layers, threads: undefined, note: null }, 'training')).toEqual([
    ['training.optimizer.kind', 'adam'], ['training.optimizer.learningRate', 0.001],
    ['training.layers.1 conv2d.className', 'conv2d'], ['training.layers.1 conv2d.config.filters', 8], ['training.layers.1 conv2d.config.strides', '2, 2'], ['training.layers.1 conv2d.config.useBias', 'false'],
    ['training.layers.2 flatten.className', 'flatten'], ['training.note', null],
  ]);
});

test('what one subject lacks is null there, and differs', () => {
  expect(sideBySide([new Map<string, number | string>([['epochs', 8], ['seed', 1]]), new Map<string, number | string>([['epochs', 8], ['threads', 1]])])).toEqual([
    { name: 'epochs', values: [8, 8], same: true }, { name: 'seed', values: [1, null], same: false }, { name: 'threads', values: [null, 1], same: false },
  ]);
});
