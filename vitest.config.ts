import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As tsconfig's `paths`: examples import the package by name, as users do.
  resolve: { alias: { perennial: new URL('definition/index.ts', import.meta.url).pathname } },
  test: { globalSetup: 'test/support/stack.ts', include: ['test/**/*.test.ts', ...(process.env['PERENNIAL_TEST_FULL'] ? ['test/**/*.full.ts'] : [])], testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks', maxWorkers: 3 },
});
