import { z } from 'zod';
import type { ColumnType } from './columns.js';
import { Duration, Label, Share } from './common.js';

/** `block` stops the run before anything trains; `warn` is reported. */
const Severity = z.enum(['block', 'warn']);
const common = { severity: Severity.default('block') };
/** The least share of the values that has to hold; missing values do not count. */
const rowwise = { ...common, mostly: Share.default(1) };
const Bound = z.number().optional();
const Column = z.string().min(1).max(63);
const Pattern = z.string().min(1).max(500).refine(isPattern, 'a regular expression in RE2\'s syntax: no look-around, no back-references');

/** Either bound, or both. */
const bounded = <T extends z.ZodObject>(schema: T) => schema.refine((value) => value['min'] !== undefined || value['max'] !== undefined, 'at least one of min and max');
/** A number, or, of a column of times, an ISO 8601 time. */
const Value = z.union([z.number(), z.string()]);

/** What a column's values are held against: those of other files, or shares of them that are known. */
const Reference = z.union([
  z.strictObject({ location: Label, path: z.string().min(1), other: z.string().min(1) }),
  z.strictObject({ edges: z.array(Value).min(2).max(1_000), shares: z.array(Share).min(1).max(999) }),
  z.strictObject({ shares: z.record(z.string().max(1_000), Share) }),
]);

/** What the rows of a table have to be like; evaluated over all rows that were read, before any is left out. */
export const Expectation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('not-null'), column: Column, ...rowwise }),
  z.strictObject({ kind: z.literal('type'), column: Column, type: z.enum(['integer', 'number', 'boolean', 'time']), ...rowwise }),
  z.strictObject({ kind: z.literal('unique'), columns: z.array(Column).min(1).max(20), ...common }),
  bounded(z.strictObject({ kind: z.literal('between'), column: Column, min: Value.optional(), max: Value.optional(), strict: z.boolean().default(false), ...rowwise })),
  z.strictObject({ kind: z.literal('in-set'), column: Column, values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1).max(10_000), ...rowwise }),
  z.strictObject({ kind: z.literal('not-in-set'), column: Column, values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1).max(10_000), ...rowwise }),
  z.strictObject({ kind: z.literal('matches'), column: Column, pattern: Pattern, ...rowwise }),
  z.strictObject({ kind: z.literal('not-matches'), column: Column, pattern: Pattern, ...rowwise }),
  bounded(z.strictObject({ kind: z.literal('length'), column: Column, min: z.int().min(0).optional(), max: z.int().min(0).optional(), ...rowwise })),
  z.strictObject({ kind: z.literal('compare'), column: Column, operator: z.enum(['<', '<=', '=', '!=', '>=', '>']), other: Column, ...rowwise }),
  z.strictObject({ kind: z.literal('sum-of'), columns: z.array(Column).min(1).max(100), operator: z.enum(['<', '<=', '=', '!=', '>=', '>']).default('='), to: z.union([Column, z.number()]), tolerance: z.number().min(0).default(1e-9), ...rowwise }),
  z.strictObject({ kind: z.literal('exists-in'), column: Column, location: Label, path: z.string().min(1), other: z.string().min(1), ...rowwise }),
  bounded(z.strictObject({ kind: z.literal('row-count'), min: z.int().min(0).optional(), max: z.int().min(0).optional(), ...common })),
  bounded(z.strictObject({
    kind: z.literal('statistic'), column: Column, statistic: z.enum(['mean', 'standard-deviation', 'median', 'minimum', 'maximum', 'sum', 'distinct', 'distinct-share', 'missing-share']),
    min: Bound, max: Bound, ...common,
  })),
  bounded(z.strictObject({ kind: z.literal('quantile'), column: Column, at: Share, min: Bound, max: Bound, ...common })),
  z.strictObject({ kind: z.literal('distribution'), column: Column, reference: Reference, within: Share, ...common }),
  z.strictObject({ kind: z.literal('fresh'), column: Column, within: Duration, ...common }),
]);
export type Expectation = z.infer<typeof Expectation>;
export type ExpectationInput = z.input<typeof Expectation>;

/** Columns by their names. */
type Known = ReadonlyMap<string, ColumnType>;

/** Expectations that each row meets or misses by itself. */
export type RowExpectation = Extract<Expectation, { mostly: number }>;

export const isRowwise = (expectation: Expectation): expectation is RowExpectation => 'mostly' in expectation;

/** Expectations that say of a row by itself, without another source, whether it may come. */
export type RequestExpectation = Exclude<RowExpectation, { kind: 'exists-in' }>;

/**
 * Whether rows of requests, which have these columns and neither key nor target, can be held to it. Where a share of the rows may miss it, one row alone is
 * never wrong. Values of requests are of their columns' types; which types a text could be read as is known to DuckDB alone.
 */
export function isOfRequests(expectation: Expectation, inputs: Known): expectation is RequestExpectation {
  if (!isRowwise(expectation) || expectation.kind === 'exists-in' || expectation.mostly < 1) return false;
  if (expectation.kind === 'type' && (expectation.type !== 'integer' || inputs.get(expectation.column) !== 'number')) return false;
  return columnsOf(expectation).every((name) => inputs.has(name));
}

/** The columns that an expectation speaks of. */
export function columnsOf(expectation: Expectation): string[] {
  switch (expectation.kind) {
    case 'row-count': return [];
    case 'unique': return expectation.columns;
    case 'compare': return [expectation.column, expectation.other];
    case 'sum-of': return typeof expectation.to === 'string' ? [...expectation.columns, expectation.to] : expectation.columns;
    default: return [expectation.column];
  }
}

/** What an expectation asks of columns that are not there or hold something else: unnoticed, the first run would fail on it. */
export function misfits(expectation: Expectation, known: Known): string[] {
  const unknown = columnsOf(expectation).filter((name) => !known.has(name));
  if (unknown.length > 0) return unknown.map((name) => `a column of this definition (${[...known.keys()].join(', ')}), not ${name}`);
  const asked = typesAsked(expectation);
  const wrong = asked ? columnsOf(expectation).filter((name) => !asked.some((type) => type === known.get(name))) : [];
  const others = expectation.kind === 'compare' && known.get(expectation.column) !== known.get(expectation.other) ? [`two columns of one type; ${expectation.column} holds ${known.get(expectation.column) ?? ''}, ${expectation.other} ${known.get(expectation.other) ?? ''}`] : [];
  const ofReference = expectation.kind === 'distribution' ? misfitsOf(expectation, known) : [];
  return [...ofReference, ...wrong.map((name) => `a column of ${asked?.join(' or ') ?? ''}; ${name} holds ${known.get(name) ?? ''}`), ...others, ...values(expectation, known)];
}

/** The types that an expectation can be about; null where any will do. */
function typesAsked(expectation: Expectation): ColumnType[] | null {
  switch (expectation.kind) {
    case 'between': return ['number', 'time'];
    case 'matches': case 'not-matches': case 'length': return ['text'];
    case 'sum-of': case 'quantile': return ['number'];
    case 'fresh': return ['time'];
    case 'statistic': return ['distinct', 'distinct-share', 'missing-share'].includes(expectation.statistic) ? null : ['number'];
    default: return null;
  }
}

/** Values that no value of the column can equal or be compared with. */
function values(expectation: Expectation, known: Known): string[] {
  if (!('column' in expectation)) return [];
  const type = known.get(expectation.column);
  const said = 'values' in expectation ? expectation.values : expectation.kind === 'between' ? [expectation.min, expectation.max].filter((value) => value !== undefined) : [];
  const fits = (value: string | number | boolean) => (type === 'time' ? typeof value === 'string' && !Number.isNaN(Date.parse(value)) : typeof value === (type === 'text' ? 'string' : type));
  return said.filter((value) => !fits(value)).slice(0, 1).map((value) => `${type === 'time' ? 'ISO 8601 times' : `values of type ${type ?? ''}`}, as ${expectation.column} holds; found ${JSON.stringify(value)}`);
}

/** A share may be rounded. */
const ROUNDED = 0.001;

/** A reference that the column cannot be held against. */
function misfitsOf({ column, reference }: Extract<Expectation, { kind: 'distribution' }>, known: Known): string[] {
  if (!('shares' in reference)) return [];
  const type = known.get(column) ?? '';
  const isOrdered = type === 'number' || type === 'time';
  const shares = Array.isArray(reference.shares) ? reference.shares : Object.values(reference.shares);
  const sum = shares.reduce((total, share) => total + share, 0);
  if ('edges' in reference) {
    if (!isOrdered) return [`shares of values, as {"a": 0.5, "b": 0.5}: ${column} holds ${type}, which has no edges`];
    const edges = reference.edges.map((edge) => (type === 'number' ? edge : Date.parse(String(edge))));
    if (edges.some((edge) => typeof edge !== 'number' || Number.isNaN(edge))) return [type === 'time' ? 'edges that are ISO 8601 times' : 'edges that are numbers'];
    if (edges.some((edge, index) => index > 0 && edge <= (edges[index - 1] ?? 0))) return ['edges that ascend'];
    if (shares.length !== edges.length - 1) return [`a share for each of the ${edges.length - 1} bins between the edges, found ${shares.length}`];
  } else {
    if (isOrdered) return [`edges and the shares between them: ${column} holds ${type}`];
    const wrong = type === 'boolean' ? Object.keys(reference.shares).find((value) => value !== 'true' && value !== 'false') : undefined;
    if (wrong !== undefined) return [`shares of "true" and "false", found ${JSON.stringify(wrong)}`];
  }
  return Math.abs(sum - 1) <= ROUNDED ? [] : [`shares that sum up to 1, found ${+sum.toFixed(6)}`];
}

/** Whether it asks for other files. */
export function referenceOf(expectation: Expectation): { readonly location: string; readonly path: string; readonly other: string } | null {
  if (expectation.kind === 'exists-in') return expectation;
  return expectation.kind === 'distribution' && 'location' in expectation.reference ? expectation.reference : null;
}

/** Whether the answer can change while the rows stay: then an unchanged source is looked at again. */
export function dependsOnMore(expectation: Expectation): boolean {
  return expectation.kind === 'fresh' || referenceOf(expectation) !== null;
}

function isPattern(pattern: string): boolean {
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(pattern)) return false;
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false; // what it is that is wrong, the issue's message tells
  }
}
