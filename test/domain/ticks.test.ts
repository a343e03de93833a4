import { expect, test } from 'vitest';
import { ticks } from '../../domain/ticks.js';

test.each([
  [0.82, 1, ['0.80', '0.85', '0.90', '0.95', '1.00']],
  [0.03, 0.71, ['0.0', '0.2', '0.4', '0.6', '0.8']],
  [0, 0, ['0.0', '0.2']],
  [120, 4_800, ['0', '1000', '2000', '3000', '4000', '5000']],
  [0.5, 0.5, ['0.5', '0.6']],
])('from %d to %d', (least, most, expected) => {
  const scale = ticks(least, most, 5);
  expect(scale.at.map(scale.text)).toEqual(expected);
  expect(scale.from).toBeLessThanOrEqual(least);
  expect(scale.to).toBeGreaterThanOrEqual(most);
});
