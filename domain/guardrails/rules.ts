import { OTHERWISE } from '../../definition/fall-back.js';
import type { Condition, Rules } from '../../definition/fall-back.js';
import type { Cell, CellRow } from '../cells.js';

/** What a rule answers, and which one. */
export interface RuleAnswer { readonly rule: string; readonly answer: string | number }

/** The first rule whose conditions a row meets, else `otherwise`; null where there is none. `names`: of the row's values. */
export function createRuleFinder({ rules, otherwise }: Rules, names: readonly string[]): (row: CellRow) => RuleAnswer | null {
  const made = rules.map(({ name, when, answer }) => ({ found: { rule: name, answer }, tests: when.map((condition) => ({ place: names.indexOf(condition.column), isMet: testOf(condition) })) }));
  const last = otherwise === undefined ? null : { rule: OTHERWISE, answer: otherwise };
  return (row) => {
    for (const { found, tests } of made) {
      if (tests.every(({ place, isMet }) => { const cell = row[place]; return cell !== undefined && isMet(cell); })) return found;
    }
    return last;
  };
}

/** `undefined`, of a column that a version of before does not take, meets no condition, and so is not asked. */
function testOf({ below, atLeast, above, atMost, between, is, in: among, missing }: Condition): (cell: Cell) => boolean {
  if (missing !== undefined) return (cell) => (cell === null) === missing;
  if (is !== undefined) return (cell) => cell === is;
  if (among !== undefined) {
    const values = new Set<Cell>(among);
    return (cell) => values.has(cell);
  }
  if (below !== undefined) return (cell) => typeof cell === 'number' && cell < below;
  if (above !== undefined) return (cell) => typeof cell === 'number' && cell > above;
  const minimum = atLeast ?? between?.min ?? -Infinity;
  const maximum = atMost ?? between?.max ?? Infinity;
  return (cell) => typeof cell === 'number' && cell >= minimum && cell <= maximum;
}
