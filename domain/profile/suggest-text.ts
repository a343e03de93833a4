import type { ExpectationInput } from '../../definition/expectations.js';

/** Expectations as TypeScript, to paste into a definition: `expect.between('age', { min: 0 }),`. */
export function expectationsText(expectations: readonly ExpectationInput[]): string {
  return ['// import { expect } from \'perennial\'', 'expectations: [', ...expectations.map((expectation) => `  ${callOf(expectation)},`), '],'].join('\n');
}

function callOf(expectation: ExpectationInput): string {
  switch (expectation.kind) {
    case 'not-null': return call('notNull', [expectation.column], severityOf(expectation));
    case 'type': return call('type', [expectation.column, expectation.type], severityOf(expectation));
    case 'between': return call('between', [expectation.column], { ...bounds(expectation), ...severityOf(expectation) });
    case 'length': return call('length', [expectation.column], { ...bounds(expectation), ...severityOf(expectation) });
    case 'in-set': return call('inSet', [expectation.column, expectation.values], severityOf(expectation));
    case 'row-count': return call('rowCount', [bounds(expectation)], severityOf(expectation));
    case 'statistic': return call(STATISTICS[expectation.statistic], [expectation.column, bounds(expectation)], severityOf(expectation));
    // Not suggested, but whoever has one can have it written.
    default: return source(expectation);
  }
}

const STATISTICS = {
  mean: 'mean', 'standard-deviation': 'standardDeviation', median: 'median', minimum: 'minimum', maximum: 'maximum', sum: 'sum', distinct: 'distinct', 'distinct-share': 'distinctShare', 'missing-share': 'missingShare',
} as const satisfies Record<Extract<ExpectationInput, { kind: 'statistic' }>['statistic'], string>;

type Options = Readonly<Record<string, unknown>>;

const severityOf = ({ severity }: ExpectationInput): Options => (severity === 'warn' ? { severity } : {});
const bounds = ({ min, max }: { min?: unknown; max?: unknown }): Options => ({ ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) });

function call(name: string, given: readonly unknown[], options: Options): string {
  const all = Object.keys(options).length > 0 ? [...given, options] : given;
  return `expect.${name}(${all.map(source).join(', ')})`;
}

/** A value as TypeScript writes it. */
export function source(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{ ${Object.entries(value).map(([name, inner]) => `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : source(name)}: ${source(inner)}`).join(', ')} }`;
  return String(value);
}
