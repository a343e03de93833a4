import type { Benchmark } from './benchmark.js';

/** Every benchmark by its name. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  training: {
    summary: 'the training stage of a run against a bare tfjs-node script on the same pixels',
    limitMinutes: 15,
    load: async () => (await import('./training/index.js')).benchTraining,
  },
  data: {
    summary: 'a million rows of 20 columns: validation against Great Expectations, snapshot against a bare copy',
    limitMinutes: 20,
    load: async () => (await import('./data/index.js')).benchData,
  },
  loop: {
    summary: 'what the loop adds around the work: commit to training, decision to live, rollback, time between the steps',
    limitMinutes: 10,
    load: async () => (await import('./loop/index.js')).benchLoop,
  },
  serving: {
    summary: 'the prediction server, with every prediction logged, against Node\'s HTTP server and TensorFlow alone, and against MLflow and BentoML, on the same network',
    limitMinutes: 20,
    load: async () => (await import('./serving/index.js')).benchServing,
  },
};
