import { z } from 'zod';

type Issue = z.core.$ZodIssue;
interface Schema {
  readonly type?: string; readonly const?: unknown; readonly enum?: readonly unknown[];
  readonly minimum?: number; readonly maximum?: number; readonly exclusiveMinimum?: number; readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>; readonly additionalProperties?: Schema | boolean; readonly items?: Schema;
  readonly anyOf?: readonly Schema[]; readonly oneOf?: readonly Schema[]; readonly $ref?: string;
}

const jsonSchemas = new WeakMap<z.ZodType, Schema>();

/** Each issue of a refused definition as `path: expected …, found …`. */
export function describeIssues(issues: readonly Issue[], definition: unknown, of: z.ZodType): string[] {
  const schema = jsonSchemas.get(of) ?? (z.toJSONSchema(of, { io: 'input' }) as Schema);
  jsonSchemas.set(of, schema);
  return issues.flatMap((issue) => flatten(issue)).flatMap((issue) => {
    const path = issue.path;
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${pathText([...path, key])}: expected no such field${nearest(key, path, schema, definition)}, found ${show(at(definition, [...path, key]))}`);
    return [`${pathText(path)}: expected ${expected(issue, schema, definition)}, found ${show(at(definition, path))}`];
  });
}

/** Of a union's alternatives, the issues of the one that came closest. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const depth = (branch: readonly Issue[]) => Math.max(...branch.map((inner) => inner.path.length));
  const closest = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
  if (depth(closest) <= 0) return [issue];
  return closest.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

function expected(issue: Issue, root: Schema, definition: unknown): string {
  switch (issue.code) {
    case 'custom': return issue.message;
    case 'invalid_format': return `text of this form: ${issue.message}`;
    case 'invalid_value': return issue.values.length === 1 ? show(issue.values[0]) : `one of ${issue.values.map(show).join(', ')}`;
    case 'too_small': case 'too_big': {
      if (issue.origin !== 'array' && issue.origin !== 'string') return describe(locate(root, issue.path, definition)) ?? issue.message;
      const unit = issue.origin === 'array' ? 'entries' : 'characters';
      return issue.code === 'too_small' ? `at least ${issue.minimum} ${unit}` : `at most ${issue.maximum} ${unit}`;
    }
    case 'invalid_type': return describe(locate(root, issue.path, definition)) ?? TYPES[issue.expected] ?? issue.expected;
    case 'invalid_union': return describe(locate(root, issue.path, definition)) ?? 'one of the allowed forms';
    default: return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = { number: 'a number', int: 'a whole number', string: 'text', boolean: 'true or false', array: 'a list', object: 'an object', record: 'an object' };

function describe(schema: Schema | undefined): string | undefined {
  if (!schema) return undefined;
  if (schema.const !== undefined) return show(schema.const);
  if (schema.enum) return `one of ${schema.enum.map(show).join(', ')}`;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map((alternative) => describe(alternative) ?? 'an object'))].join(' or ');
  if (schema.type === 'number' || schema.type === 'integer') return numberText(schema);
  if (schema.properties && schema.type === 'object') return `an object with ${Object.keys(schema.properties).slice(0, 4).join(', ')}`;
  return schema.type === undefined ? undefined : TYPES[schema.type];
}

function numberText({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  const low = exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? `from ${minimum}` : '';
  const high = exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? (low.startsWith('from') ? `to ${maximum}` : `up to ${maximum}`) : '';
  return [noun, low, high].filter((part) => part !== '').join(' ');
}

/** The schema of the field at `path`, by the alternative of each union that the definition chose. */
function locate(root: Schema, path: readonly PropertyKey[], definition: unknown): Schema | undefined {
  let schema: Schema | undefined = root;
  let value: unknown = definition;
  for (const key of path) {
    schema = chosen(schema, value);
    if (!schema) return undefined;
    schema = typeof key === 'number' ? schema.items : schema.properties?.[String(key)] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    value = at(value, [key]);
  }
  return schema;
}

function chosen(schema: Schema | undefined, value: unknown): Schema | undefined {
  const alternatives: readonly Schema[] | undefined = schema?.anyOf ?? schema?.oneOf;
  if (!alternatives) return schema;
  const fits = (alternative: Schema) => Object.entries(alternative.properties ?? {}).every(([key, property]) => property.const === undefined || at(value, [key]) === property.const);
  return chosen(alternatives.find((alternative) => alternative.type === (Array.isArray(value) ? 'array' : typeof value) && fits(alternative)), value);
}

/** A declared field of nearly the same name. */
function nearest(key: string, path: readonly PropertyKey[], root: Schema, definition: unknown): string {
  const fields = Object.keys(chosen(locate(root, path, definition), at(definition, path))?.properties ?? {});
  const near = fields.find((field) => field.toLowerCase().startsWith(key.toLowerCase().slice(0, 4)) || key.toLowerCase().includes(field.toLowerCase()));
  return near === undefined ? '' : ` (is '${near}' meant?)`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((current, key) => (typeof current === 'object' && current !== null ? (current as Record<PropertyKey, unknown>)[key] : undefined), value);
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the definition' : path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('');
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
