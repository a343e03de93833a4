import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchContext, Figure } from '../benchmark.js';
import { startBenchStack } from '../loop/stack.js';
import { median } from '../report.js';
import { startBare } from './bare.js';
import { writeBodies, type Bodies, type Encoding } from './bodies.js';
import { runLoad } from './generator.js';
import type { LoadResult, LoadTask } from './load-task.js';
import { benchPeers } from './peers/index.js';
import { processorSecondsOf } from './processes.js';
import { releaseCarTruck } from './released.js';

const ROUNDS = 3;
const SECONDS = 4;
/** On a machine that has other work the rounds take longer: after this time no further one is begun. */
const ENOUGH_MS = 150_000;
const CONNECTIONS = [1, 32, 256] as const;
/** Of what the bare server manages: the load at which the latencies of Poisson arrivals are compared. */
const POISSON_SHARE = 0.5;
const LOGGED_WITHIN_MS = 120_000;

interface Side { readonly name: string; readonly url: string; readonly path: string; readonly pids: readonly number[]; headers(encoding: Encoding): Record<string, string> }
interface Measured { readonly load: LoadResult; /** per 1,000 answers */ readonly processor: number | null }
type Key = `${Encoding} ${number}` | 'poisson';

/**
 * The production server of a running installation, as released by the loop, against the bare server on the same network and the
 * same bodies: in turns, so that a busy moment of the machine meets both alike. Every prediction is logged with its input; the
 * copying to PostgreSQL goes on meanwhile, and at the end the log has to hold every answer.
 */
export async function benchServing(context: BenchContext): Promise<readonly Figure[]> {
  const { signal, say } = context;
  const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-serving-'));
  const stack = await startBenchStack(context);
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const released = await releaseCarTruck(stack, folder, context);
    closing.push(() => released.close());
    const bare = await startBare(released.directory, signal);
    closing.push(() => bare.close());
    const bodies = await writeBodies(released.pictures, folder);
    say(`bodies: JSON ${(bodies.bytes.json / 1_000).toFixed(1)} kB, binary ${(bodies.bytes.binary / 1_000).toFixed(1)} kB; log policy: every prediction with its input, before its answer leaves`);

    const ours: Side = {
      name: 'perennial', url: released.url, path: `/v2/models/${released.model}/infer`, pids: [released.pid],
      headers: (encoding) => ({ authorization: `Bearer ${released.token}`, ...(encoding === 'json' ? { 'content-type': 'application/json' } : { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(bodies.headerBytes) }) }),
    };
    const theirs: Side = { name: 'bare', url: bare.url, path: '/', pids: [bare.pid], headers: (encoding) => ({ 'content-type': encoding === 'json' ? 'application/json' : 'application/octet-stream' }) };
    const results = new Map<string, Measured[]>();
    const before = await released.logged();
    let answered = 0;

    const measure = async (side: Side, key: Key, encoding: Encoding, connections: number, arrivals: LoadTask['arrivals']) => {
      const spent = processorSecondsOf(side.pids);
      const warmUp = connections * 4;
      const load = await runLoad({ url: side.url, path: side.path, headers: side.headers(encoding), bodies: filesOf(bodies, side, encoding), connections, seconds: SECONDS, warmUp, arrivals }, folder, signal);
      if (load.failed > 0) throw new Error(`${load.failed} of ${load.failed + load.answered} requests to ${side.name} failed: the figures would mean nothing`);
      const now = processorSecondsOf(side.pids);
      if (side === ours) answered += load.answered;
      const processor = spent === null || now === null ? null : ((now - spent) / (load.answered + warmUp)) * 1_000;
      const list = results.get(`${side.name} ${key}`) ?? [];
      results.set(`${side.name} ${key}`, [...list, { load, processor }]);
      say(`${side.name}, ${key === 'poisson' ? 'Poisson arrivals' : `${encoding}, ${connections} connection${connections === 1 ? '' : 's'}`}: ${load.perSecond.toFixed(0)} requests/s, p50 ${load.p50.toFixed(2)} ms, p99 ${load.p99.toFixed(2)} ms${processor === null ? '' : `, ${processor.toFixed(2)} s of processor time a 1,000`}`);
    };
    const began = performance.now();
    for (let round = 1; round <= ROUNDS && (round === 1 || performance.now() - began < ENOUGH_MS); round += 1) {
      for (const encoding of ['json', 'binary'] as const) {
        for (const connections of CONNECTIONS) for (const side of [theirs, ours]) await measure(side, `${encoding} ${connections}`, encoding, connections, 'closed');
      }
      const perSecond = POISSON_SHARE * median((results.get('bare json 32') ?? []).map(({ load }) => load.perSecond));
      for (const side of [theirs, ours]) await measure(side, 'poisson', 'json', 256, { perSecond, seed: round });
    }
    await untilLogged(released.logged, before + answered, signal);
    say(`the log holds all ${answered} answers that were counted`);
    const peers = await benchPeers({ url: ours.url, path: ours.path, headers: ours.headers('json'), json: bodies.json, packageDirectory: released.directory }, folder, context);
    return [...figures(results), ...peers];
  } finally {
    for (const close of closing.reverse()) await close();
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bare server takes the bytes alone. */
const filesOf = (bodies: Bodies, side: Side, encoding: Encoding) => (encoding === 'json' ? bodies.json : side.name === 'bare' ? bodies.raw : bodies.binary);

async function untilLogged(logged: () => Promise<number>, wanted: number, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + LOGGED_WITHIN_MS; ;) {
    signal.throwIfAborted();
    const found = await logged();
    if (found >= wanted) return;
    if (performance.now() > end) throw new Error(`the log holds ${found} predictions of at least ${wanted} that were answered`);
    await new Promise((wake) => setTimeout(wake, 500));
  }
}

function figures(results: ReadonlyMap<string, readonly Measured[]>): Figure[] {
  const of = (side: string, key: Key, value: (measured: Measured) => number) => median((results.get(`${side} ${key}`) ?? []).map(value));
  const rate = (side: string, key: Key) => of(side, key, ({ load }) => load.perSecond);
  const p99 = (side: string, key: Key) => of(side, key, ({ load }) => load.p99);
  const p50 = (side: string, key: Key) => of(side, key, ({ load }) => load.p50);
  const processor = (side: string, key: Key) => of(side, key, (measured) => measured.processor ?? 0);
  const known = [...results.values()].every((list) => list.every((measured) => measured.processor !== null));
  return [
    { name: 'shareOfBareJson', title: 'JSON, 32 connections: throughput ÷ bare', value: rate('perennial', 'json 32') / rate('bare', 'json 32'), unit: '×', least: 0.9 },
    { name: 'shareOfBareBinary', title: 'binary, 32 connections: throughput ÷ bare', value: rate('perennial', 'binary 32') / rate('bare', 'binary 32'), unit: '×', least: 0.75 },
    { name: 'p99OverBare', title: 'JSON, 32 connections: p99 ÷ bare', value: p99('perennial', 'json 32') / p99('bare', 'json 32'), unit: '×', goal: 1.5 },
    { name: 'p99OverBarePoisson', title: 'JSON, Poisson arrivals at half of bare\'s rate: p99 ÷ bare', value: p99('perennial', 'poisson') / p99('bare', 'poisson'), unit: '×' },
    { name: 'overheadMs1', title: 'JSON, 1 connection: median above bare', value: p50('perennial', 'json 1') - p50('bare', 'json 1'), unit: 'ms', goal: 0.5 },
    ...(known ? [
      { name: 'cpuSecondsPer1000', title: 'processor time of 1,000 predictions (JSON, 32 connections)', value: processor('perennial', 'json 32'), unit: 's' as const },
      { name: 'bareCpuSecondsPer1000', title: 'the same, bare', value: processor('bare', 'json 32'), unit: 's' as const },
    ] : []),
    ...(['json', 'binary'] as const).flatMap((encoding) => CONNECTIONS.flatMap((connections) => (['perennial', 'bare'] as const).map((side) => ({
      name: `${side}${encoding === 'json' ? 'Json' : 'Binary'}${connections}`, title: `${side}, ${encoding}, ${connections} connections`, value: rate(side, `${encoding} ${connections}`), unit: 'requests/s' as const,
    })))),
  ];
}
