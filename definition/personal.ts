import { z } from 'zod';
import { typedColumns } from './columns.js';
import type { Column } from './columns.js';
import type { Feature } from './features.js';
import { columnsOfFeature } from './features.js';
import { Label } from './common.js';
import type { Source } from './sources.js';
import { columnOfSplit } from './splits.js';
import type { Contradiction } from './task-contradictions.js';

/**
 * What becomes of a column. `hash`: each value is replaced by a pseudonym. `drop`: the column is not read at all. Of texts that hold personal data among
 * other words, `hash-found` replaces what is recognised by its kind and a pseudonym, `drop-found` by its kind alone.
 */
export const PersonalAction = z.enum(['hash', 'drop', 'hash-found', 'drop-found']);
export type PersonalAction = z.infer<typeof PersonalAction>;
/** The actions that change values. */
export const ReplacingAction = PersonalAction.exclude(['drop']);
export type ReplacingAction = z.infer<typeof ReplacingAction>;

/** What becomes of rows that seem to hold personal data: the run is stopped before anything is stored, or it is reported; of some columns, what is done about it. */
export const PersonalData = z.strictObject({
  policy: z.enum(['block', 'warn']).default('warn'),
  /** Columns that are meant to hold it. */
  allow: z.array(Label).max(2000).default([]),
  columns: z.record(Label, PersonalAction).optional().describe('what becomes of these columns, before anything of them is stored'),
});
export type PersonalData = z.infer<typeof PersonalData>;

interface Described {
  readonly columns: readonly Column[]; readonly target: { readonly name: string }; readonly sources: readonly Source[]; readonly features?: readonly Feature[] | undefined;
  readonly personalData?: PersonalData | undefined;
}

/** The columns that are left, and so those that the model gets. */
export function withoutDropped<T extends Described>(data: T): T {
  const actions = data.personalData?.columns ?? {};
  return Object.values(actions).includes('drop') ? { ...data, columns: data.columns.filter((column) => actions[typeof column === 'string' ? column : column.name] !== 'drop') } : data;
}

/** The columns whose values are replaced. */
export function replacingActions({ personalData }: Pick<Described, 'personalData'>): Record<string, ReplacingAction> {
  return Object.fromEntries(Object.entries(personalData?.columns ?? {}).flatMap(([name, action]) => (action === 'drop' ? [] : [[name, action]])));
}

/** What is asked of columns that cannot be: a target that is dropped could not be learned, a key that is hashed could not be erased. */
export function personalContradictions({ columns, target, sources, features = [], personalData }: Described): Contradiction[] {
  const known = new Map(typedColumns(columns).map(({ name, type }) => [name, type]));
  const found = Object.entries(personalData?.columns ?? {}).flatMap(([name, action]): Contradiction[] => {
    const path = ['data', 'personalData', 'columns', name];
    const refuse = (expected: string) => [{ path, expected }];
    if (name === target.name) return refuse(`another column than ${name}, which is the target`);
    if (sources.some((source) => 'key' in source && source.key === name)) return refuse(`another column than ${name}, which is the key of a source: rows are named by it in splits, reports and erasures; give rows another key in the source`);
    if (sources.some(({ split }) => columnOfSplit(split) === name)) return refuse(`another column than ${name}, by which rows are divided`);
    if (personalData?.allow.includes(name)) return refuse(`one of the two: ${name} is in \`allow\` as well`);
    if (action === 'drop') {
      const feature = features.findIndex((one) => columnsOfFeature(one).includes(name));
      return feature < 0 ? [] : refuse(`no \`drop\`: data.features[${feature}] is made of the column ${name}`);
    }
    const type = known.get(name);
    if (type !== 'text') return refuse(type === undefined ? `a column of this definition (${[...known.keys()].slice(0, 20).join(', ')})` : `\`drop\`, or a column of type text; ${name} is of type ${type}`);
    return [];
  });
  if (columns.length > 0 && withoutDropped({ columns, target, sources, personalData }).columns.length === 0) found.push({ path: ['data', 'personalData', 'columns'], expected: 'at least one column that is not dropped' });
  return found;
}
