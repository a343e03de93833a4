import type { GeneratedField, RowFault } from '../../contract/frames.js';
import { cellOf, describeColumn } from '../../domain/cells.js';

type Fault = Omit<RowFault, 'row'>;

/** A row's values as text, in the order of the fields; or what is wrong with it: strictly these fields, each of its own type. */
export function rowTexts(fields: readonly GeneratedField[], row: unknown): { texts: (string | null)[] } | Fault {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return { check: 'wrong-shape', message: `rows that are ${row === null ? 'null' : Array.isArray(row) ? 'a list' : typeof row} instead of an object of fields` };
  const given = row as Record<string, unknown>;
  const missing = fields.filter(({ name }) => given[name] === undefined);
  if (missing.length > 0) return { check: 'wrong-shape', message: `rows without the fields ${missing.map(({ name }) => name).join(', ')}` };
  const known = new Set(fields.map(({ name }) => name));
  const foreign = Object.keys(given).filter((name) => !known.has(name));
  if (foreign.length > 0) return { check: 'wrong-shape', message: `rows with fields that the definition does not name: ${foreign.slice(0, 5).join(', ')}` };
  const texts: (string | null)[] = [];
  for (const field of fields) {
    const text = textOf(field, given[field.name]);
    if (typeof text === 'object' && text !== null) return text;
    texts.push(text);
  }
  return { texts };
}

function textOf({ name, type, nullable }: GeneratedField, value: unknown): string | null | Fault {
  if (type === 'name') {
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value === null ? null : String(value);
    return typeof value === 'number' && Number.isFinite(value) ? String(value) : { check: 'wrong-type', message: `${name} has to be text or a finite number` };
  }
  const cell = cellOf({ name, type, nullable }, value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value);
  if (cell !== undefined) return cell === null ? null : String(cell);
  const what = `the column ${name} has to be ${describeColumn({ name, type, nullable })}`;
  if (value === null) return { check: 'missing-value', message: `the column ${name} is not nullable, and has no value` };
  return type === 'number' ? { check: 'not-a-number', message: what } : { check: 'wrong-type', message: what };
}
