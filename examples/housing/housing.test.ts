import assert from 'node:assert/strict';
import { test } from 'node:test';
import model from './housing.model.js';

test('the network ends in one number, which any number can be', () => {
  assert.ok('layers' in model.network);
  const last = model.network.layers.at(-1);
  assert.equal(last?.config?.['units'], 1);
  assert.equal(last?.config?.['activation'], undefined);
});

test('what is to be estimated is no input', () => {
  assert.ok(model.data.kind === 'table');
  assert.ok(!model.data.columns.includes(model.data.target.name ?? ''));
});

test('an error that raises the alarm would not have passed the gate', () => {
  const gate = model.evaluation.gates.find(({ name }) => name === 'error');
  const threshold = model.monitoring?.thresholds?.find(({ name }) => name === 'error-grown');
  assert.ok(gate?.kind === 'at-most' && threshold && 'above' in threshold);
  assert.ok(threshold.above > gate.threshold);
});
