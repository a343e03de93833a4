import { cacheRoot, partFolder } from './cache.mjs';

const files = ['california_housing_reference.csv', 'california_housing_analysis.csv', 'titanic_reference.csv', 'titanic_analysis.csv', 'titanic_target.csv'];

/**
 * The tables of the examples: real rows that come with nannyml (Apache License 2.0), taken out of its wheel. No program needs them, so they
 * are not in the manifest of native parts, and are fetched on request only.
 * @type {import('./parts.mjs').Part}
 */
export const exampleTables = {
  id: 'exampleTables', version: '0.13.1', title: 'tables of the examples', kind: 'tables', revision: 1,
  source: { requirement: 'nannyml==0.13.1', python: '3.11', tags: ['any'], sha256: 'cf5f4a33489834ae6773cb1baa33a0f98c0a3ee6ed9b43049478b25ce22fe869' },
  files, fetchBytes: 23_023_247, workBytes: 1_800_000,
};

/** The folder that holds them once `perennial setup --examples` has run. */
export function exampleTablesFolder(root = cacheRoot()) {
  return partFolder(exampleTables, root);
}
