import { BENCHMARKS } from './benchmarks.js';
import { runBench } from './program.js';

/** The benchmarks as a process: `infra/bin/bench.mjs` imports it. */
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'; // told once, by set-up
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { interrupt.abort(new Error(`ended by ${signal}`)); });

process.exitCode = await runBench(process.argv.slice(2), BENCHMARKS, {
  out: (text) => { process.stdout.write(text); },
  err: (text) => { process.stderr.write(text); },
  interrupted: interrupt.signal,
});
