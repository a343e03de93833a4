import assert from 'node:assert/strict';
import { test } from 'node:test';
import model from './titanic.model.js';

const columns = model.data.kind === 'table' ? model.data.columns.map((column) => (typeof column === 'string' ? column : column.name)) : [];

test('the network ends in one probability per class', () => {
  assert.ok('layers' in model.network);
  assert.equal(model.network.layers.at(-1)?.config?.['units'], model.data.target.classes.length);
});

test('nothing that was known only after the sinking is an input', () => {
  for (const afterwards of ['boat', 'body', 'home.dest', 'Survived']) assert.ok(!columns.includes(afterwards), afterwards);
});

test('both whole and survivors are judged: to call everybody drowned is right for six in ten', () => {
  const gated = model.evaluation.gates.flatMap((gate) => (gate.kind === 'at-least' ? [gate.class ?? 'all'] : []));
  assert.deepEqual(gated, ['all', '1']);
});
