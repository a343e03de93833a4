import { expect, test } from 'vitest';
import type { Benchmark, Figure } from '../../bench/benchmark.js';
import { BENCHMARKS } from '../../bench/benchmarks.js';
import { runBench } from '../../bench/program.js';

const FIGURES: readonly Figure[] = [
  { name: 'ratioToBare', title: 'stage ÷ bare', value: 1.23456, unit: '×', goal: 1.1 },
  { name: 'rollbackSeconds', title: 'rollback', value: 0.5, worst: 0.75, unit: 's', goal: 2 },
  { name: 'rows', title: 'rows trained', value: 1999.6, unit: 'rows/s' },
];

async function bench(args: readonly string[], run: () => Promise<readonly Figure[]> = async () => FIGURES, interrupted = new AbortController().signal) {
  let [out, err] = ['', ''];
  const benchmarks: Record<string, Benchmark> = { swift: { summary: 'measures nothing', limitMinutes: 1, load: async () => run } };
  const code = await runBench(args, benchmarks, { out: (text) => { out += text; }, err: (text) => { err += text; }, interrupted });
  return { code, out, err };
}

test.each([[['nonsense']], [[]], [['constructor']], [['swift', 'again']], [['swift', '--bogus']]])('%j ends with 2 and lists the names', async (args) => {
  const { code, out, err } = await bench(args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('usage: npm run bench -- NAME [--json]');
  expect(err).toContain('swift  measures nothing');
});

test('help is no failure', async () => {
  expect(await bench(['--help'])).toMatchObject({ code: 0, err: '' });
});

test('with --json standard output is one line of figures', async () => {
  const { code, out } = await bench(['swift', '--json']);
  expect(code).toBe(0);
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(out)).toEqual({ name: 'swift', figures: { ratioToBare: 1.235, rollbackSeconds: 0.5, rollbackSecondsWorst: 0.75, rows: 1999.6 } });
});

test('without it, a table tells the machine, each figure, its goal and whether it was met', async () => {
  const { out } = await bench(['swift']);
  expect(out).toMatch(/\d+ cores .*Node v\d+/);
  expect(out).toMatch(/stage ÷ bare +1\.235 × +- +≤ 1\.1 × +MISSED/);
  expect(out).toMatch(/rollback +0\.50 s +0\.75 s +≤ 2 s +met/);
  expect(out).toMatch(/rows trained +2000 rows\/s +- +-$/m);
});

test('what cannot be measured ends with 1 and says why', async () => {
  const failed = await bench(['swift'], async () => { throw new Error('no pictures'); });
  expect([failed.code, failed.err]).toEqual([1, 'swift could not be measured: no pictures\n']);
  const stopped = await bench(['swift'], async () => { throw new Error('aborted'); }, AbortSignal.abort());
  expect([stopped.code, stopped.err]).toEqual([1, 'swift could not be measured: interrupted\n']);
});

test('every benchmark can be loaded', async () => {
  for (const { load } of Object.values(BENCHMARKS)) expect(typeof (await load())).toBe('function');
});
