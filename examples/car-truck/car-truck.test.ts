import assert from 'node:assert/strict';
import { test } from 'node:test';
import model from './car-truck.model.js';

test('the network ends in one probability per class', () => {
  assert.ok('layers' in model.network);
  const last = model.network.layers.at(-1);
  assert.equal(last?.config?.['units'], model.data.target.classes.length);
  assert.equal(last?.config?.['activation'], 'softmax');
});

test('the clear test pictures are frozen: nothing is split out of their folder by key', () => {
  const folders = model.data.sources.filter((source) => source.kind === 'image-folder');
  assert.deepEqual(folders.map(({ path, split }) => [path, split]), [['train', 'train'], ['test', 'test']]);
});

test('day and night are judged apart, so that a gain in one cannot hide a loss in the other', () => {
  const slices = (model.evaluation.slices ?? []).map(({ name }) => name);
  const gated = model.evaluation.gates.flatMap((gate) => (gate.kind === 'at-least' && gate.slice ? [gate.slice] : []));
  assert.deepEqual(gated, slices);
});
