import { z } from 'zod';
import type { TypedColumn } from './columns.js';
import { Label } from './common.js';

const Scale = z.enum(['standard', 'min-max', 'robust', 'none']);

/** What a number is where it is missing, in a column that is nullable. */
export const ImputeNumber = z.strictObject({
  with: z.enum(['mean', 'median', 'most-frequent', 'constant']).default('mean'),
  value: z.number().optional(),
  /** An input of its own that is 1 where the value was missing. */
  indicator: z.boolean().default(true),
}).refine((impute) => (impute.with === 'constant') === (impute.value !== undefined), 'a value with `constant`, and with nothing else');
export type ImputeNumber = z.infer<typeof ImputeNumber>;

const ImputeText = z.strictObject({
  with: z.enum(['most-frequent', 'constant']),
  value: z.string().optional(),
  indicator: z.boolean().default(true),
}).refine((impute) => (impute.with === 'constant') === (impute.value !== undefined), 'a value with `constant`, and with nothing else');

const increasing = z.array(z.number()).min(1).max(1000).refine((edges) => edges.every((edge, index) => index === 0 || edge > (edges[index - 1] ?? edge)), 'edges that increase');

/** How a column becomes numbers of the network's input. All figures come from the training split alone, and are part of the package. */
export const Feature = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('number'), column: Label, impute: ImputeNumber.optional(), scale: Scale.default('standard') }),
  z.strictObject({
    kind: z.literal('category'), column: Label, impute: ImputeText.optional(),
    /** A value that training did not see, or saw too rarely: an input of its own, zeros everywhere, or a refusal. */
    unknown: z.enum(['bucket', 'zeros', 'refuse']).default('bucket'),
    minimumFrequency: z.int().min(1).default(1), maximum: z.int().min(1).max(10_000).default(1_000),
  }),
  z.strictObject({ kind: z.literal('bucket'), column: Label, quantiles: z.int().min(2).max(1000).optional(), edges: increasing.optional() })
    .refine(({ quantiles, edges }) => (quantiles === undefined) !== (edges === undefined), 'either `quantiles` or `edges`'),
  z.strictObject({ kind: z.literal('length'), column: Label, scale: Scale.default('standard') }),
  z.strictObject({ kind: z.literal('words'), column: Label, buckets: z.int().min(2).max(16_384).default(256) }),
  z.strictObject({ kind: z.literal('time'), column: Label, parts: z.array(z.enum(['instant', 'year', 'month', 'day', 'weekday', 'hour', 'minute'])).min(1).default(['instant', 'month', 'weekday', 'hour']), cyclic: z.boolean().default(true) }),
  z.strictObject({ kind: z.literal('cross'), of: z.array(z.strictObject({ column: Label, edges: increasing.optional() })).min(2).max(4), buckets: z.int().min(2).max(16_384).default(64) }),
]);
export type Feature = z.infer<typeof Feature>;

/** The columns a feature reads. */
export function columnsOfFeature(feature: Feature): string[] {
  return feature.kind === 'cross' ? feature.of.map(({ column }) => column) : [feature.column];
}

/** Types of column that a kind of feature may be made of. */
export const FEATURE_TYPES = {
  number: ['number', 'boolean'], category: ['text', 'number', 'boolean'], bucket: ['number'], length: ['text'], words: ['text'], time: ['time'], cross: ['text', 'number', 'boolean'],
} as const satisfies Record<Feature['kind'], readonly TypedColumn['type'][]>;

/** What a column becomes where no feature but a cross names it. */
export function defaultFeature({ name: column, type, nullable }: TypedColumn): Feature {
  switch (type) {
    case 'number': return Feature.parse({ kind: 'number', column });
    case 'boolean': return Feature.parse({ kind: 'number', column, ...(nullable ? { impute: { with: 'most-frequent' } } : {}), scale: 'none' });
    case 'text': return Feature.parse({ kind: 'category', column });
    case 'time': return Feature.parse({ kind: 'time', column });
  }
}

/** The features of a table: the defaults of columns that none is declared for, in the order of the columns, then those declared. */
export function featuresOf(columns: readonly TypedColumn[], declared: readonly Feature[] = []): Feature[] {
  const named = new Set(declared.filter(({ kind }) => kind !== 'cross').flatMap(columnsOfFeature));
  return [...columns.filter(({ name }) => !named.has(name)).map(defaultFeature), ...declared];
}
