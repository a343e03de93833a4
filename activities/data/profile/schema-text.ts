import { basename, extname } from 'node:path';
import type { ColumnSummary, ProfileSummary } from '../../../contract/data-profile.js';
import { shortColumn } from '../../../definition/columns.js';
import { Label } from '../../../definition/common.js';
import { source } from '../../../domain/profile/suggest-text.js';
import { shareText, valueText } from '../../../domain/profile/words.js';
import { isNumericTarget } from './infer.js';
import type { InferredColumn, InferredTable } from './infer.js';

/** Names of columns that every snapshot has. */
const TAKEN = ['key', 'split', 'label', 'attributes'];
const CATEGORIES = 6;

export interface Schema {
  readonly kind: InferredTable['kind']; readonly key: string | null;
  readonly columns: readonly InferredColumn[];
  /** Why a column cannot be one of a definition, by its name. */
  readonly refused: Readonly<Record<string, string>>;
}

/** Which columns can be inputs, and which one names the rows: the first whose values are all there and all different, and are texts or whole numbers. */
export function schemaOf({ kind, columns }: InferredTable, summary: ProfileSummary, target: string | null): Schema {
  const integers = (name: string) => { const found = summary.columns.find((one) => one.name === name); return found?.numbers?.integers === found?.present; };
  const key = columns.find(({ name, type, unique }) => unique && name !== target && (type === 'text' || (type === 'number' && integers(name))))?.name ?? null;
  const refused = Object.fromEntries(columns.flatMap(({ name }) => { const why = whyNot(name); return why === null || name === key || name === target ? [] : [[name, why]]; }));
  return { kind, key, refused, columns: columns.filter(({ name }) => name !== key && name !== target && !(name in refused)) };
}

function whyNot(name: string): string | null {
  if (TAKEN.includes(name)) return `snapshots have a column ${name} of their own`;
  return Label.safeParse(name).success ? null : 'a column\'s name has letters, digits, dot, underscore or hyphen, at most 63';
}

/** The part `data` of a definition, to paste and edit. @param file one of the files that were read */
export function schemaText({ kind, key, columns, refused }: Schema, table: InferredTable, summary: ProfileSummary, target: string | null, file: string): string {
  const about = new Map(summary.columns.map((column) => [column.name, column]));
  const chosen = table.columns.find(({ name }) => name === target);
  const extension = extname(file);
  return [
    'data: {', '  kind: \'table\',', '  columns: [',
    ...columns.map(({ name, type, nullable }) => `    ${source(shortColumn({ name, type, nullable }))},${comment(about.get(name))}`),
    ...Object.entries(refused).map(([name, why]) => `    // ${source(name)}: ${why}; rename it in the source`),
    '  ],',
    ...(chosen ? targetLines(chosen, summary) : ['  // target: { name: …, classes: […] }: the column that is predicted; perennial schema --target COLUMN fills it in']),
    ...(key === null ? ['  // No column names the rows: `key` has to be one whose values are all there, and all different.'] : []),
    `  sources: [{ kind: ${source(kind)}, location: 'rows', path: ${source(`*${extension === '' ? basename(file) : extension}`)}, key: ${source(key ?? 'id')}, split: { byKey: { train: 0.8, test: 0.2 } }${kind === 'csv' && /\.tsv/i.test(file) ? ', delimiter: \'\\t\'' : ''} }],`,
    '},',
  ].join('\n');
}

function targetLines(chosen: InferredColumn, { target }: ProfileSummary): string[] {
  if (isNumericTarget(chosen)) return [`  // ${source(chosen.name)} is a number of ${chosen.distinct} different values`, `  target: { name: ${source(chosen.name)} },`];
  const classes = (target.classes ?? []).map(({ name }) => name);
  const odd = classes.filter((name) => !Label.safeParse(name).success);
  return [...(odd.length > 0 ? [`  // rename in the source, classes have letters, digits, dot, underscore or hyphen: ${odd.slice(0, CATEGORIES).map(source).join(', ')}`] : []), `  target: { name: ${source(chosen.name)}, classes: ${source(classes)} },`];
}

/** What a column holds, behind it. */
function comment(column: ColumnSummary | undefined): string {
  if (!column || column.present === 0) return ' // no value at all: its type is a guess';
  const { type, numbers, values, allValues, distinct, missing, missingShare } = column;
  const all = allValues && distinct <= CATEGORIES;
  const parts = [
    ...(numbers ? [`${valueText(type, numbers.minimum)} to ${valueText(type, numbers.maximum)}${type === 'number' && numbers.integers === column.present ? ', whole numbers' : ''}`] : []),
    ...(type === 'text' ? [all ? values.map(({ value }) => (value === '' ? '(empty)' : value.replaceAll(/\s+/g, ' '))).join(', ') : `${column.distinctExact ? '' : 'about '}${distinct} different texts`] : []),
    ...(missing > 0 ? [`${shareText(missingShare)} missing`] : []),
  ];
  return parts.length === 0 ? '' : ` // ${parts.join('; ')}`;
}
