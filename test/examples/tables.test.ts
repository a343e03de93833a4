import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runRepositoryTests } from '../../activities/source/tests.js';
import { ModelDefinition } from '../../definition/model.js';
import housing from '../../examples/housing/housing.model.js';
import titanic from '../../examples/titanic/titanic.model.js';

describe.each([['housing', housing], ['titanic', titanic]] as const)('examples/%s', (name, model) => {
  const folder = new URL(`../../examples/${name}/`, import.meta.url);

  it('is a definition that intake accepts, of a table that set-up fetches', () => {
    const { $type: _, ...input } = model;
    const definition = ModelDefinition.parse(input);
    expect(definition.name).toBe(name);
    expect(definition.data.sources[0]).toMatchObject({ kind: 'csv', location: 'tables' });
  });

  it('passes its own tests, as intake runs them', async () => {
    expect(await runRepositoryTests({ checkout: fileURLToPath(folder), signal: new AbortController().signal })).toEqual({ files: 1 });
  });

  it('depends on nothing but the public package', async () => {
    const { dependencies } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual(['perennial']);
    const source = await readFile(new URL(`${name}.model.ts`, folder), 'utf8');
    expect([...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from)).toEqual(['perennial']);
  });
});
