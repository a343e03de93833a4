import { defineConfig } from 'vitest/config';

const isFull = Boolean(process.env['PERENNIAL_TEST_FULL']);
const LONG = isFull ? ['test/**/*.full.ts'] : [];

const ENDS = ['test/e2e/*.test.ts', ...(isFull ? ['test/e2e/*.full.ts'] : [])];
/** Each of these files has a process of its own: Temporal's runtime is one per process, and a connection that closes while a call waits for its next try fails whoever runs after it. */
const APART = ['test/workflows/*.test.ts', 'test/gateway/*.test.ts', 'test/infra/*.test.ts', 'test/cli/gateway.test.ts', ...LONG];

export default defineConfig({
  // As tsconfig's `paths`: examples import the package by name, as users do.
  resolve: { alias: { perennial: new URL('definition/index.ts', import.meta.url).pathname } },
  test: {
    globalSetup: 'test/support/stack.ts', testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks',
    projects: [
      { extends: true, test: { name: 'apart', include: APART, exclude: ENDS, maxWorkers: 3 } },
      // Loading modules anew for each file takes a third of the processor time of all tests.
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...APART, ...ENDS], maxWorkers: 3, isolate: false } },
      // Everything is started, and trained: two at a time, since each waits as long as it works. The long ones of `--full` kill and measure, and get the machine to themselves.
      { extends: true, test: { name: 'end to end', include: ENDS, maxWorkers: isFull ? 1 : 2, sequence: { groupOrder: 1 } } },
    ],
  },
});
