import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runRepositoryTests } from '../../activities/source/tests.js';
import { ModelDefinition } from '../../definition/model.js';
import { classesOf } from '../../definition/target.js';
import model from '../../examples/car-truck/car-truck.model.js';

describe('examples/car-truck', () => {
  it('is a definition that intake accepts', () => {
    const { $type: _, ...input } = model;
    const definition = ModelDefinition.parse(input);
    expect(definition.name).toBe('car-truck');
    expect(classesOf(definition.data.target)).toEqual(['car', 'truck']);
    expect(definition.data.sources.map(({ kind }) => kind)).toEqual(['image-folder', 'image-folder', 'labelled-predictions']);
    expect(definition.release.environment).toBe('production');
  });

  it('names only classes, slices and gates that exist', () => {
    const slices = new Set((model.evaluation.slices ?? []).map(({ name }) => name));
    const gated = model.evaluation.gates.flatMap((gate) => (gate.kind === 'at-least' && gate.slice ? [gate.slice] : []));
    expect(gated.filter((slice) => !slices.has(slice))).toEqual([]);
  });

  it('passes its own tests, as intake runs them', async () => {
    const checkout = fileURLToPath(new URL('../../examples/car-truck', import.meta.url));
    expect(await runRepositoryTests({ checkout, signal: new AbortController().signal })).toEqual({ files: 1 });
  });

  it('depends on nothing but the public package', async () => {
    const folder = new URL('../../examples/car-truck/', import.meta.url);
    const { dependencies } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual(['perennial']);
    const source = await readFile(new URL('car-truck.model.ts', folder), 'utf8');
    expect([...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from)).toEqual(['perennial']);
  });
});
