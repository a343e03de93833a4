import type { ComparedFact } from '../contract/comparison.js';
import { canonicalJson } from './canonical.js';

type Value = number | string | null;
/** What is known of one subject, by name. */
export type Facts = ReadonlyMap<string, Value>;

const FIELDS_OF_AN_ITEM = ['name', 'className', 'column', 'kind', 'class'] as const;

/**
 * The leaves of a JSON value by their path (`optimizer.learningRate`). Items of a list are named by what names them, else by their place:
 * `layers.2 conv2d.config.filters`. Booleans are texts.
 */
export function flatten(value: unknown, path = ''): [name: string, value: Value][] {
  if (value === undefined) return [];
  if (value === null || typeof value === 'number' || typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object') return [[path, JSON.stringify(value) ?? '']];
  if (Array.isArray(value)) {
    if (value.every((item) => item === null || typeof item !== 'object')) return [[path, value.join(', ')]];
    return value.flatMap((item: unknown, index) => flatten(item, join(path, [String(index + 1), ...nameOf(item)].join(' '))));
  }
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, join(path, key)));
}

/** Facts of several subjects side by side, in the order in which they first appear. */
export function sideBySide(subjects: readonly Facts[]): ComparedFact[] {
  return [...new Set(subjects.flatMap((facts) => [...facts.keys()]))].map((name) => {
    const values = subjects.map((facts) => facts.get(name) ?? null);
    return { name, values, same: new Set(values.map((value) => canonicalJson(value))).size === 1 };
  });
}

function nameOf(item: unknown): string[] {
  if (item === null || typeof item !== 'object') return [];
  const fields = item as Readonly<Record<string, unknown>>;
  const name = FIELDS_OF_AN_ITEM.map((field) => fields[field]).find((text) => typeof text === 'string');
  return name === undefined ? [] : [name];
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);
