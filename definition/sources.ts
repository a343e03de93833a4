import { z } from 'zod';
import { Duration, Label } from './common.js';
import { SplitRule } from './splits.js';

/** Attributes that every row of a source carries; slices select by them. */
const Attributes = z.record(Label, z.string()).default({});

/**
 * A `location` is a name that operators bind to a folder or S3 prefix (`perennial location set`), so that a definition holds no
 * machine's paths. `path` is a file below it; `*`, `?` and `**` are allowed.
 */
const files = { location: Label, path: z.string().min(1) };
const Day = z.iso.date();
/** Where rows come from in words: kept with every snapshot, read by auditors, changes no row. */
const origin = {
  terms: z.string().min(1).max(500).optional().describe('the licence or terms of use, or where they can be read'),
  collected: z.strictObject({ from: Day, to: Day }).refine(({ from, to }) => from <= to, 'a period from an earlier day to a later one').optional().describe('first and last day on which the rows were collected'),
};
const rows = { key: z.string().min(1), eventTime: z.string().min(1).optional().describe('the column of each row\'s own time, as of which feature views are joined'), split: SplitRule, attributes: Attributes, ...origin };

/** One character of ASCII that is printed, or a tab. */
const Sign = z.string().regex(/^[\t -~]$/, 'one character of ASCII');

const ImageFolder = z.strictObject({ kind: z.literal('image-folder'), location: Label, path: z.string().default(''), split: SplitRule, attributes: Attributes, ...origin })
  .describe('pictures laid out as <class>/<file>');
const Parquet = z.strictObject({ kind: z.literal('parquet'), ...files, ...rows }).describe('rows of Parquet files');
const Csv = z.strictObject({
  kind: z.literal('csv'), ...files, ...rows,
  delimiter: Sign.default(','),
  quote: z.union([Sign, z.literal('')]).default('"').describe('empty: fields are never quoted'),
  header: z.union([z.literal(true), z.array(z.string().min(1)).min(1)]).default(true).describe('the first line names the columns, or these are their names'),
  nulls: z.array(z.string()).default(['']).describe('texts that stand for a missing value'),
  decimal: z.enum(['.', ',']).default('.'),
}).refine(({ delimiter, quote, decimal }) => new Set([delimiter, quote, decimal]).size === 3, 'a delimiter, a quote and a decimal sign that differ')
  .describe('rows of text files, each line one row (RFC 4180)');
const Ndjson = z.strictObject({ kind: z.literal('ndjson'), ...files, ...rows }).describe('rows of JSON lines, each line one object');
const LabelledPredictions = z.strictObject({ kind: z.literal('labelled-predictions'), environment: Label.default('production'), attributes: Attributes, split: SplitRule, minimum: z.int().min(0).default(0), ...origin })
  .describe('predictions whose label has arrived; with `attributes`, only those logged with these request attributes');

const Sql = z.strictObject({
  kind: z.literal('sql'),
  connection: Label.describe('operators give the worker its address, so that no definition holds a password'),
  query: z.string().min(1).max(100_000),
  timeout: Duration.default('30m'),
  ...rows,
}).describe('rows of a query to PostgreSQL');

const Generator = z.strictObject({
  kind: z.literal('generator'),
  export: z.string().regex(/^[A-Za-z_$][\w$]*$/, 'the name of an exported function').describe('a generator that the definition\'s file exports'),
  limits: z.strictObject({ rows: z.int().min(1).default(10_000_000), minutes: z.number().positive().max(240).default(30), memoryMb: z.int().min(64).default(1024) }).prefault({}),
  ...rows,
}).describe('rows of the team\'s own code');

/** Where rows come from. */
export const Source = z.discriminatedUnion('kind', [ImageFolder, Parquet, Csv, Ndjson, Sql, Generator, LabelledPredictions]);
export type Source = z.infer<typeof Source>;
export type SourceOf<K extends Source['kind']> = Extract<Source, { kind: K }>;

/** What a source gives: pictures, rows of a table, or whichever the model is of. */
export const SOURCE_GIVES = {
  'image-folder': 'images', parquet: 'table', csv: 'table', ndjson: 'table', sql: 'table', generator: 'table', 'labelled-predictions': 'either',
} as const satisfies Record<Source['kind'], 'images' | 'table' | 'either'>;
