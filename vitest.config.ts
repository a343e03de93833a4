import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

const isFull = Boolean(process.env['PERENNIAL_TEST_FULL']);
const ENDS = ['test/e2e/*.test.ts', ...(isFull ? ['test/**/*.full.ts'] : [])];

export default defineConfig({
  // As tsconfig's `paths`: examples import the package by name, as users do.
  resolve: { alias: { perennial: new URL('definition/index.ts', import.meta.url).pathname } },
  test: {
    globalSetup: 'test/support/stack.ts', testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks', sequence: { sequencer: LongestFirst },
    projects: [
      // Files share processes: loading modules anew for each takes a third of the processor time of all tests.
      { extends: true, test: { name: 'parts', include: ['test/**/*.test.ts'], exclude: ENDS, maxWorkers: 3, isolate: false } },
      // Everything is started, and trained: three at a time, since each waits as long as it works. The long ones of `--full` kill and measure, and get the machine to themselves.
      { extends: true, test: { name: 'end to end', include: ENDS, maxWorkers: isFull ? 1 : 3, sequence: { groupOrder: 1 } } },
    ],
  },
});
