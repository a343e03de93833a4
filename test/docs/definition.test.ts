import { expect, it } from 'vitest';
import { z } from 'zod';
import { FeatureView } from '../../definition/feature-view.js';
import { ModelDefinition, TRAINING_FIELDS } from '../../definition/model.js';
import { readPage, tableRows } from './support.js';

interface Schema {
  readonly type?: string; readonly const?: unknown; readonly default?: unknown; readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>; readonly items?: Schema; readonly anyOf?: readonly Schema[]; readonly oneOf?: readonly Schema[];
}
type Field = readonly [path: string, preset: string];

const alternativesOf = ({ anyOf, oneOf }: Schema) => anyOf ?? oneOf;
const kindOf = (schema: Schema) => schema.properties?.['kind']?.const as string | undefined;
const isGroup = (schema: Schema): boolean => schema.properties !== undefined || (alternativesOf(schema)?.every((one) => one.properties !== undefined) ?? false);

/** The fields below a schema with their defaults, as the page writes them; what only groups other fields is left out. */
function fieldsOf(schema: Schema): Field[] {
  const alternatives = alternativesOf(schema)?.filter((one) => one.properties);
  if (alternatives) return merged(alternatives);
  if (schema.items) return fieldsOf(schema.items).map(([path, preset]) => [`[]${path}`, preset]);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => fieldAndBelow(name, field, presetOf(schema, name, 'required')));
}

/** A field that all alternatives have alike is written once; another names the kinds that have it. */
function merged(alternatives: readonly Schema[]): Field[] {
  const found = new Map<string, { field: Field; kinds: string[] }>();
  for (const one of alternatives) {
    const kind = kindOf(one);
    const fields = Object.entries(one.properties ?? {}).flatMap(([name, field]) => fieldAndBelow(name, field, presetOf(one, name, kind === undefined ? 'either' : 'required')));
    for (const field of fields) {
      const entry = found.get(field.join(' ')) ?? { field, kinds: [] };
      if (kind !== undefined) entry.kinds.push(kind);
      found.set(field.join(' '), entry);
    }
  }
  return [...found.values()].map(({ field: [path, preset], kinds }) => [kinds.length === 0 || kinds.length === alternatives.length ? path : `{${kinds.join(', ')}}${path}`, preset]);
}

function fieldAndBelow(name: string, field: Schema, preset: string): Field[] {
  const below = fieldsOf(field).map(([path, inner]): Field => [`.${name}${path}`, inner]);
  return isGroup(field) ? below : [[`.${name}`, preset], ...below];
}

function presetOf(parent: Schema, name: string, whenRequired: string): string {
  const preset = parent.properties?.[name]?.default;
  if (preset !== undefined) return JSON.stringify(preset);
  return parent.required?.includes(name) ? whenRequired : '–';
}

it.each([{ page: 'docs/definition.md', schema: ModelDefinition, least: 80 }, { page: 'docs/features.md', schema: FeatureView, least: 20 }])('every field is documented in $page with its default, and no other', ({ page, schema, least }) => {
  const documented = tableRows(readPage(page)).filter(([cell = '']) => cell.startsWith('`')).map(([path = '', , preset = '']) => `${path.replaceAll('`', '')} = ${preset}`);
  const fields = fieldsOf(z.toJSONSchema(schema, { io: 'input' }) as Schema).map(([path, preset]) => `${path.replace(/^\./, '')} = ${preset}`);
  expect(fields.length).toBeGreaterThan(least);
  expect([...documented].sort()).toEqual([...fields].sort());
});

it('the fields that the training digest covers are those that the page names', () => {
  const [, named = ''] = /\n(`schema`, .*?) \(with the code/s.exec(readPage('docs/definition.md')) ?? [];
  expect([...named.matchAll(/`(\w+)`/g)].map((match) => match[1])).toEqual([...TRAINING_FIELDS]);
});
