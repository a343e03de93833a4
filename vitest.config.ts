import { defineConfig } from 'vitest/config';

const full = process.env['PERENNIAL_TEST_FULL'] ? ['test/**/*.full.ts'] : [];

/** Each of these files has a process of its own: Temporal's runtime is one per process, and a connection that closes while a call waits for its next try fails whoever runs after it. */
const APART = ['test/workflows/*.test.ts', 'test/gateway/*.test.ts', 'test/infra/*.test.ts', 'test/cli/gateway.test.ts', 'test/e2e/*.test.ts'];

export default defineConfig({
  // As tsconfig's `paths`: examples import the package by name, as users do.
  resolve: { alias: { perennial: new URL('definition/index.ts', import.meta.url).pathname } },
  test: {
    globalSetup: 'test/support/stack.ts', testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks', maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'apart', include: [...APART, ...full] } },
      // Loading modules anew for each file takes a third of the processor time of all tests.
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: APART, isolate: false } },
    ],
  },
});
