import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nativeCacheRoot } from '../../../infra/native.js';
import type { BenchContext, Figure } from '../../benchmark.js';
import { runLoad } from '../generator.js';
import type { LoadResult, LoadTask } from '../load-task.js';
import { installPeers, peerVersions } from './install.js';
import { convertModel, startBento, startMlflow, type Peer } from './start.js';

const SECONDS = 4;
const CONNECTIONS = [1, 32, 256] as const;
/** Of what BentoML manages. MLflow, which manages less, is left out of it. */
const POISSON_SHARE = 0.5;
/** The same network, computed by the same TensorFlow. */
const ALIKE = 1e-4;
const COMPARED = 8;

/** Our server, as the benchmark measures it: where, and with what. `json`: files with one request each. */
export interface Ours { readonly url: string; readonly path: string; readonly headers: Record<string, string>; readonly json: readonly string[]; readonly packageDirectory: string }
interface Side { readonly name: 'perennial' | Peer['name']; readonly url: string; readonly path: string; readonly headers: Record<string, string>; readonly bodies: string[] }

const OurBody = z.looseObject({ inputs: z.tuple([z.looseObject({ data: z.array(z.number()) })]) });
const OurAnswer = z.looseObject({ outputs: z.array(z.looseObject({ name: z.string(), data: z.array(z.unknown()) })) });
const Rows = z.array(z.array(z.number()));
const MlflowAnswer = z.looseObject({ predictions: Rows });

/**
 * MLflow and BentoML with the network that our server serves and the same pictures, in turns with it; nothing where they cannot be installed. Each takes JSON in its own shape; their bodies
 * as bytes are pickled Python, which no other client has, and are left out.
 */
export async function benchPeers(ours: Ours, folder: string, context: BenchContext): Promise<readonly Figure[]> {
  const { signal, say } = context;
  const programs = await installPeers(nativeCacheRoot(), context);
  if (programs === null) return [];
  say(`${peerVersions}: the same network and pictures`);
  const place = join(folder, 'peers');
  try {
    await convertModel(programs, ours.packageDirectory, place, signal);
  } catch (error) {
    signal.throwIfAborted();
    say(`MLflow and BentoML are left out, since the network cannot be made a Keras model: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const pictures = await Promise.all(ours.json.map(async (file) => nestedPixels(OurBody.parse(JSON.parse(await readFile(file, 'utf8'))).inputs[0].data)));
  const results = new Map<string, LoadResult>();
  const first: Side = { name: 'perennial', url: ours.url, path: ours.path, headers: ours.headers, bodies: [...ours.json] };
  // One at a time: a server that only waits still takes memory and wakes up.
  for (const [name, start] of [['bentoml', startBento], ['mlflow', startMlflow]] as const) {
    try {
      await against(await start(programs, place, signal));
    } catch (error) {
      signal.throwIfAborted();
      say(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return figures(results);

  async function against(peer: Peer): Promise<void> {
    try {
      const side: Side = { name: peer.name, url: peer.url, path: peer.path, headers: { 'content-type': 'application/json' }, bodies: await writeBodies(peer.name, pictures, place) };
      await compare(first, side);
      const sides = results.has('perennial 32') ? [side] : [first, side];
      for (const connections of CONNECTIONS) for (const one of sides) await measure(one, String(connections), connections, 'closed');
      const bento = results.get('bentoml 32');
      if (peer.name === 'bentoml' && bento) for (const one of sides) await measure(one, 'poisson', 256, { perSecond: POISSON_SHARE * bento.perSecond, seed: 1 });
    } finally {
      await peer.close();
    }
  }

  async function measure(side: Side, key: string, connections: number, arrivals: LoadTask['arrivals']): Promise<void> {
    const load = await runLoad({ url: side.url, path: side.path, headers: side.headers, bodies: side.bodies, connections, seconds: SECONDS, warmUp: connections, arrivals }, folder, signal);
    if (side === first && load.failed > 0) throw new Error(`${load.failed} of ${load.failed + load.answered} requests to ours failed: the figures would mean nothing`);
    results.set(`${side.name} ${key}`, load);
    say(`${side.name}, ${key === 'poisson' ? 'Poisson arrivals' : `json, ${connections} connection${connections === 1 ? '' : 's'}`}: ${load.perSecond.toFixed(0)} requests/s, p50 ${load.p50.toFixed(2)} ms, p99 ${load.p99.toFixed(2)} ms${load.failed > 0 ? `, ${load.failed} failed` : ''}`);
  }
}

/** Throws unless both give the same probabilities for the first pictures. */
async function compare(ours: Side, theirs: Side): Promise<void> {
  for (let at = 0; at < COMPARED; at += 1) {
    const [own, other] = await Promise.all([ours, theirs].map(async ({ name, url, path, headers, bodies }) => {
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: await readFile(bodies[at] ?? '') });
      if (!response.ok) throw new Error(`${name} answers ${response.status}: ${(await response.text()).slice(0, 500)}`);
      return probabilitiesOf(name, await response.json());
    }));
    if (own?.length !== other?.length || own?.some((value, index) => !(Math.abs(value - (other?.[index] ?? NaN)) <= ALIKE)) !== false) throw new Error(`${theirs.name} answers picture ${at} with ${String(other)}, ours with ${String(own)}`);
  }
}

function probabilitiesOf(name: Side['name'], answer: unknown): readonly number[] {
  switch (name) {
    case 'perennial': return OurAnswer.parse(answer).outputs.find((output) => output.name === 'probabilities')?.data.map(Number) ?? [];
    case 'mlflow': return MlflowAnswer.parse(answer).predictions[0] ?? [];
    case 'bentoml': return Rows.parse(answer)[0] ?? [];
  }
}

/** Rows of pixels, as numpy reads them: `[32][32][3]`. */
const nestedPixels = (data: readonly number[]) => Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (__, x) => data.slice((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)));

async function writeBodies(name: Peer['name'], pictures: readonly unknown[], folder: string): Promise<string[]> {
  return Promise.all(pictures.map(async (picture, index) => {
    const file = join(folder, `${name}-${index}.json`);
    await writeFile(file, JSON.stringify({ [name === 'mlflow' ? 'inputs' : 'images']: [picture] }));
    return file;
  }));
}

function figures(results: ReadonlyMap<string, LoadResult>): Figure[] {
  const rate = (side: Side['name'], key: string) => results.get(`${side} ${key}`)?.perSecond ?? NaN;
  const p99 = (side: Side['name'], key: string) => results.get(`${side} ${key}`)?.p99 ?? NaN;
  const all: Figure[] = [
    { name: 'timesMlflow', title: 'JSON, 32 connections: throughput ÷ MLflow\'s', value: rate('perennial', '32') / rate('mlflow', '32'), unit: '×', least: 60 },
    { name: 'timesBento', title: 'JSON, 32 connections: throughput ÷ BentoML\'s, which batches', value: rate('perennial', '32') / rate('bentoml', '32'), unit: '×', least: 5 },
    { name: 'p99OverBentoPoisson', title: 'JSON, Poisson arrivals at half of BentoML\'s rate: p99 ÷ BentoML\'s', value: p99('perennial', 'poisson') / p99('bentoml', 'poisson'), unit: '×' },
    ...CONNECTIONS.flatMap((connections) => (['mlflow', 'bentoml'] as const).map((side): Figure => ({ name: `${side}Json${connections}`, title: `${side}, json, ${connections} connections`, value: rate(side, String(connections)), unit: 'requests/s' }))),
  ];
  return all.filter(({ value }) => Number.isFinite(value)); // of a peer that was left out there are none
}
