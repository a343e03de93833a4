import { z } from 'zod';
import { typedColumns } from './columns.js';
import type { Column } from './columns.js';
import { Label } from './common.js';
import { ViewName } from './feature-view.js';
import type { FeatureView } from './feature-view.js';
import type { Source } from './sources.js';
import type { Contradiction } from './task-contradictions.js';

/** A value of a view: under its own name, or another. */
const ViewColumn = z.union([Label, z.strictObject({ column: Label, as: Label })]);

/** Columns of a table that come from a feature view: as of each row's time while training, as of now while serving. */
export const ViewUse = z.strictObject({
  view: ViewName,
  key: z.record(Label, Label).describe('for each key column of the view, the column of the rows, and of requests, that holds it'),
  columns: z.array(ViewColumn).min(1).max(1000),
});
export type ViewUse = z.infer<typeof ViewUse>;

/** The columns of a use: as the view calls them, and as the model does. */
export function usedColumns({ columns }: Pick<ViewUse, 'columns'>): { column: string; as: string }[] {
  return columns.map((column) => (typeof column === 'string' ? { column, as: column } : column));
}

interface TableParts { readonly columns: readonly Column[]; readonly sources: readonly Source[]; readonly views?: readonly ViewUse[] | undefined }

/** What a definition says of its views that cannot be, whatever the views are. Rows without a time of their own would see what came after them. */
export function viewContradictions({ columns, sources, views = [] }: TableParts): Contradiction[] {
  const found: Contradiction[] = [];
  const names = typedColumns(columns).map(({ name }) => name);
  const taken = new Set<string>();
  views.forEach((use, index) => {
    const path = ['data', 'views', index];
    usedColumns(use).forEach(({ as }, place) => {
      if (!names.includes(as)) found.push({ path: [...path, 'columns', place], expected: `a column of this definition (${names.slice(0, 20).join(', ')})` });
      if (taken.has(as)) found.push({ path: [...path, 'columns', place], expected: `another column than ${as}, which a view gives already` });
      taken.add(as);
    });
  });
  views.forEach(({ key }, index) => {
    for (const [name, column] of Object.entries(key)) if (taken.has(column)) found.push({ path: ['data', 'views', index, 'key', name], expected: 'a column that the rows have by themselves' });
  });
  sources.forEach((source, index) => {
    if (!('key' in source)) return;
    if (views.length > 0 && source.eventTime === undefined) found.push({ path: ['data', 'sources', index, 'eventTime'], expected: 'the column of each row\'s own time: without it a row would be joined with what was known only later' });
    if (views.length === 0 && source.eventTime !== undefined) found.push({ path: ['data', 'sources', index, 'eventTime'], expected: 'nothing: no view is joined' });
  });
  return found;
}

/** What the definition of a model says of its view at this place that the view does not: place, what was expected, and what is there. Null: there is no such view. */
export function viewIssues(index: number, ...parts: Parameters<typeof viewMisfits>): string[] {
  return viewMisfits(...parts).map(({ path, expected, found }) => `data.views[${index}].${path}: expected ${expected}, found ${found}`);
}

function viewMisfits(use: ViewUse, view: FeatureView | null, columns: readonly Column[], known: readonly string[]): { path: string; expected: string; found: string }[] {
  if (!view) return [{ path: 'view', expected: `a feature view (${known.slice(0, 20).join(', ') || 'there is none'})`, found: use.view }];
  const misfits: { path: string; expected: string; found: string }[] = [];
  const keys = view.entity.map(({ name }) => name);
  const given = Object.keys(use.key);
  if (keys.some((name) => !given.includes(name)) || given.some((name) => !keys.includes(name))) misfits.push({ path: 'key', expected: `the key of ${view.name}: ${keys.join(', ')}`, found: given.join(', ') || 'nothing' });
  const held = new Map(typedColumns(view.columns).map((column) => [column.name, column]));
  const wanted = new Map(typedColumns(columns).map((column) => [column.name, column]));
  usedColumns(use).forEach(({ column, as }, place) => {
    const source = held.get(column);
    if (!source) misfits.push({ path: `columns[${place}]`, expected: `a column of ${view.name} (${[...held.keys()].slice(0, 20).join(', ')})`, found: column });
    else if (wanted.get(as)?.type !== source.type) misfits.push({ path: `columns[${place}]`, expected: `a column of type ${source.type}, as in ${view.name}`, found: `${as} of type ${wanted.get(as)?.type ?? 'none'}` });
  });
  return misfits;
}
