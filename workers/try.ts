import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createPaint } from '../cli/io.js';
import { tell } from '../cli/errors.js';
import { createProgressLine } from '../cli/progress-line.js';
import { gateTable } from '../cli/render.js';
import { headline } from '../cli/quality.js';
import { findDefinitions } from '../runtime/definition/find.js';
import { readDefinitions, type ReadDefinition } from '../runtime/definition/read.js';
import { attempt, type Attempt } from './try/attempt.js';
import { createTryDeps } from './try/deps.js';

/** `perennial try`: the definitions of a folder on a sample of their data. Nothing is registered, nothing is stored. */
const { values } = parseArgs({ options: { dir: { type: 'string', default: '.' }, rows: { type: 'string', default: '1000' }, epochs: { type: 'string', default: '1' }, location: { type: 'string', multiple: true, default: [] }, json: { type: 'boolean', default: false } } });
const io = { out: (text: string) => { if (!values.json) process.stdout.write(text); }, err: (text: string) => { process.stderr.write(text); }, isTerminal: process.stdout.isTTY, columns: process.stdout.isTTY ? process.stdout.columns : 120, env: process.env, cwd: process.cwd(), ask: null };
const paint = createPaint(io);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort(new Error(`ended by ${signal}`)); });

process.exitCode = await main().catch((error: unknown) => {
  const told = tell(error);
  if (values.json) process.stdout.write(`${JSON.stringify({ error: told }, null, 2)}\n`);
  else process.stderr.write(`${paint.red('failed')}: ${told.message} (${told.code})\nnext: ${told.next}\n`);
  return 1;
});

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-try-'));
  const parts = createTryDeps(new Map(values.location.map(pairOf)), folder);
  try {
    const checkout = resolve(values.dir);
    const attempts: Attempt[] = [];
    for (const file of await findDefinitions(checkout)) {
      for (const read of await readDefinitions({ checkout, file, signal: stop.signal })) {
        io.out(`${paint.bold(read.definition.name)}  ${file}  training digest ${read.trainingDigest.slice(0, 12)}\n`);
        const done = await tryOne(parts, parts.hasDatabase ? read : withoutPredictions(read), await mkdtemp(join(folder, 'definition-')));
        io.out(`${textOf(done)}\n`);
        attempts.push(done);
      }
    }
    if (values.json) process.stdout.write(`${JSON.stringify({ attempts }, null, 2)}\n`);
    return attempts.every((one) => one.trained !== null) ? 0 : 1;
  } finally {
    await parts.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryOne({ deps }: ReturnType<typeof createTryDeps>, read: ReadDefinition, folder: string): Promise<Attempt> {
  const line = createProgressLine({ io, paint });
  let count = 0;
  const onProgress = (progress: object) => { line.progress({ id: (count += 1), run: read.definition.name, eventId: `try-${count}`, at: new Date().toISOString(), kind: 'progress', step: 'train', message: '', data: { ...progress } }); };
  try {
    return await attempt({ deps, read, rows: positive('rows', values.rows), epochs: positive('epochs', values.epochs), folder, signal: stop.signal, onProgress });
  } finally {
    line.end();
  }
}

/** Where PostgreSQL is not known, what production saw cannot be part of the sample. */
function withoutPredictions(read: ReadDefinition): ReadDefinition {
  const { data } = read.definition;
  const sources = data.sources.filter((source) => source.kind !== 'labelled-predictions');
  if (sources.length < data.sources.length) io.out(paint.yellow('left out: labelled predictions (no PostgreSQL is known here)\n'));
  return { ...read, definition: { ...read.definition, data: { ...data, sources } } };
}

function textOf({ rows, data, trained }: Attempt): string {
  const findings = data.findings.map((finding) => `  ${finding.severity === 'block' ? paint.red(finding.severity) : paint.yellow(finding.severity)} ${finding.message} (${finding.count})${finding.rows.length > 0 ? `: ${finding.rows.slice(0, 3).join(', ')}` : ''}`);
  if (!trained) return [`${rows} rows read; the data is ${paint.red('blocked')}:`, ...findings, 'next: correct what is named above'].join('\n');
  return [
    `${rows} rows read${findings.length > 0 ? ', with findings:' : ', no findings'}`, ...findings,
    `${trained.parameters.toLocaleString('en')} parameters, trained in ${trained.seconds.toFixed(1)} s, ${headline(trained.evaluation.overall)} on ${trained.evaluation.overall.n} test rows`, '',
    gateTable({ paint }, trained.gates), '',
    'This was a sample: the gates are judged for good when the commit is trained. Nothing was registered.',
  ].join('\n');
}

function pairOf(pair: string): [string, string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new RangeError(`--location: name=uri, found "${pair}"`);
  const [name, uri] = [pair.slice(0, at), pair.slice(at + 1)];
  return [name, /^[a-z0-9]+:\/\//.test(uri) ? uri : resolve(uri)];
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name}: a whole number from 1 on, found "${text}"`);
  return value;
}
