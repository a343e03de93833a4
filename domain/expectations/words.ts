import type { Expectation } from '../../definition/expectations.js';

/** An expectation as a report says it: `age is between 0 and 120 in 99% of the rows`. */
export function inWords(expectation: Expectation): string {
  return `${clause(expectation)}${'mostly' in expectation && expectation.mostly < 1 ? ` in ${+(expectation.mostly * 100).toFixed(4)}% of the rows` : ''}`;
}

function clause(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'not-null': return `${expectation.column} is there`;
    case 'type': return `${expectation.column} is ${expectation.type === 'integer' ? 'an integer' : `a ${expectation.type}`}`;
    case 'unique': return `${expectation.columns.join(', ')} ${expectation.columns.length > 1 ? 'together are' : 'is'} unique`;
    case 'between': return `${expectation.column} is ${bounds(expectation, expectation.strict)}`;
    case 'in-set': return `${expectation.column} is one of ${listed(expectation.values)}`;
    case 'not-in-set': return `${expectation.column} is none of ${listed(expectation.values)}`;
    case 'matches': return `${expectation.column} matches /${expectation.pattern}/`;
    case 'not-matches': return `${expectation.column} does not match /${expectation.pattern}/`;
    case 'length': return `the length of ${expectation.column} is ${bounds(expectation)}`;
    case 'compare': return `${expectation.column} ${expectation.operator} ${expectation.other}`;
    case 'sum-of': return `${expectation.columns.join(' + ')} ${expectation.operator} ${expectation.to}`;
    case 'exists-in': return `${expectation.column} exists in ${expectation.other} of ${expectation.location}/${expectation.path}`;
    case 'row-count': return `the number of rows is ${bounds(expectation)}`;
    case 'statistic': return `${expectation.statistic} of ${expectation.column} is ${bounds(expectation)}`;
    case 'quantile': return `quantile ${expectation.at} of ${expectation.column} is ${bounds(expectation)}`;
    case 'distribution': return `the distribution of ${expectation.column} is within ${expectation.within} of ${'location' in expectation.reference ? `that of ${expectation.reference.other} of ${expectation.reference.location}/${expectation.reference.path}` : 'the shares given'}`;
    case 'fresh': return `the newest ${expectation.column} is at most ${expectation.within} old`;
  }
}

function bounds({ min, max }: { min?: number | string | undefined; max?: number | string | undefined }, strict = false): string {
  if (max === undefined) return strict ? `above ${min}` : `at least ${min}`;
  if (min === undefined) return strict ? `below ${max}` : `at most ${max}`;
  return `${strict ? 'strictly ' : ''}between ${min} and ${max}`;
}

const SHOWN = 8;

function listed(values: readonly unknown[]): string {
  return `${values.slice(0, SHOWN).map(String).join(', ')}${values.length > SHOWN ? ` and ${values.length - SHOWN} more` : ''}`;
}
