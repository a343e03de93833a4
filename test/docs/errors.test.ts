import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERRORS } from '../../contract/errors.js';
import { root, section, tableRows } from './support.js';

const page = 'docs/errors.md';
const [registry = ''] = section(page, '# Errors').split('\n## ');
const codesOf = (text: string) => tableRows(text).slice(1).map(([code = '']) => code.replaceAll('`', ''));

it('every code of the registry is documented as it is, with its meaning, and no other', () => {
  const documented = tableRows(registry).slice(1);
  expect(documented.map(([code, , status, again, next]) => [code, status, again, next]))
    .toEqual(Object.entries(ERRORS).map(([code, { status, retryable, next }]) => [`\`${code}\``, String(status), retryable ? 'yes' : 'no', next]));
  expect(documented.filter(([, meaning = '']) => meaning.length < 10)).toEqual([]);
});

it('a retired code is not in the registry', () => {
  expect([...section(page, '## Retired codes').matchAll(/`([a-z-]+\/[a-z-]+)`/g)].filter(([, code = '']) => code in ERRORS)).toEqual([]);
});

it('every code that the command line gives by itself is documented', () => {
  const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(root, 'cli', file), 'utf8')).join('\n');
  const given = [...sources.matchAll(/new CommandError\('([^']+)'|return \{ code: '([^']+)'|error: \{ code: '([^']+)'/g)].map(([, ...codes]) => codes.find((code) => code !== undefined) ?? '');
  expect(given.length).toBeGreaterThan(10);
  const documented = new Set([...codesOf(section(page, '## Codes of the command line alone')), ...Object.keys(ERRORS)]);
  expect([...new Set(given)].filter((code) => !documented.has(code))).toEqual([]);
});
