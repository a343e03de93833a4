import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.js';
import { describeMachine } from './machine.js';
import { figuresJson, figuresTable } from './report.js';

export interface BenchIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when somebody interrupts. */
  readonly interrupted: AbortSignal;
}

/**
 * Runs the benchmark that the arguments name. Gives the exit code: 0 measured (whatever the figures say), 1 could not be
 * measured, 2 wrong usage, with the names.
 */
export async function runBench(args: readonly string[], benchmarks: Readonly<Record<string, Benchmark>>, io: BenchIo): Promise<number> {
  const asked = read(args);
  if ('help' in asked) {
    io.out(usage(benchmarks));
    return 0;
  }
  const benchmark = 'name' in asked && Object.hasOwn(benchmarks, asked.name) ? benchmarks[asked.name] : undefined;
  if ('wrong' in asked || !benchmark) {
    io.err(`${'wrong' in asked ? asked.wrong : `there is no benchmark "${asked.name}"`}\n\n${usage(benchmarks)}`);
    return 2;
  }
  const { name, json } = asked;
  const machine = describeMachine();
  if (!json) io.out(`${name}: ${benchmark.summary}\n${machine}\n\n`);
  const timeUp = AbortSignal.timeout(benchmark.limitMinutes * 60_000);
  const signal = AbortSignal.any([timeUp, io.interrupted]);
  try {
    const run = await benchmark.load();
    const figures = await run({ signal, say: (line) => io.err(`   ${line}\n`) });
    io.out(json ? `${figuresJson(name, figures)}\n` : `\n${figuresTable(figures)}\n`);
    return 0;
  } catch (error) {
    const why = timeUp.aborted ? `not done after ${benchmark.limitMinutes} minutes` : io.interrupted.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error);
    io.err(`${name} could not be measured: ${why}\n`);
    return 1;
  }
}

function read(args: readonly string[]): { name: string; json: boolean } | { wrong: string } | { help: true } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } });
    const [name, ...more] = positionals;
    if (values.help) return { help: true };
    if (name === undefined) return { wrong: 'which benchmark?' };
    if (more.length > 0) return { wrong: `one benchmark at a time; found ${positionals.join(', ')}` };
    return { name, json: values.json };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

function usage(benchmarks: Readonly<Record<string, Benchmark>>): string {
  const width = Math.max(...Object.keys(benchmarks).map((name) => name.length));
  return ['usage: npm run bench -- NAME [--json]', '', ...Object.entries(benchmarks).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`), ''].join('\n');
}
