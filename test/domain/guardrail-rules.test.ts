import { expect, test } from 'vitest';
import { Rules } from '../../definition/fall-back.js';
import type { CellRow } from '../../domain/cells.js';
import { createRuleFinder } from '../../domain/guardrails/rules.js';

const NAMES = ['income', 'city', 'alone'];
const met = (condition: object, row: CellRow) => createRuleFinder(Rules.parse({ rules: [{ name: 'one', when: [condition], answer: 1 }] }), NAMES)(row) !== null;
const incomes = (condition: object) => [null, 1, 2, 3].map((income) => met({ column: 'income', ...condition }, [income, 'Wien', true]));

test.each([
  [{ below: 2 }, [false, true, false, false]], [{ atMost: 2 }, [false, true, true, false]], [{ above: 2 }, [false, false, false, true]], [{ atLeast: 2 }, [false, false, true, true]],
  [{ between: { min: 2, max: 3 } }, [false, false, true, true]], [{ is: 2 }, [false, false, true, false]], [{ in: [1, 3] }, [false, true, false, true]],
  [{ missing: true }, [true, false, false, false]], [{ missing: false }, [false, true, true, true]],
])('%j holds of a missing value, 1, 2 and 3: %j', (condition, expected) => {
  expect(incomes(condition)).toEqual(expected);
});

test('texts and truth are compared as they are; the first rule answers all of whose conditions hold, and nothing is said of a column that a version does not take', () => {
  expect([met({ column: 'city', in: ['Graz', 'Wien'] }, [1, 'Wien', true]), met({ column: 'city', is: 'wien' }, [1, 'Wien', true]), met({ column: 'alone', is: false }, [1, 'Wien', false])]).toEqual([true, false, true]);
  const find = createRuleFinder(Rules.parse({ rules: [{ name: 'both', when: [{ column: 'city', is: 'Wien' }, { column: 'income', below: 2 }], answer: 1 }, { name: 'poor', when: [{ column: 'income', below: 3 }], answer: 2 }, { name: 'gone', when: [{ column: 'age', missing: true }], answer: 3 }], otherwise: 4 }), NAMES);
  expect([[1, 'Wien', true], [2, 'Wien', true], [1, 'Graz', true], [9, 'Wien', true]].map((row) => find(row))).toEqual([{ rule: 'both', answer: 1 }, { rule: 'poor', answer: 2 }, { rule: 'poor', answer: 2 }, { rule: 'otherwise', answer: 4 }]);
});
