import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Signature } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import type { ActivityDeps } from '../deps.js';
import { replaceColumn } from '../data/personal/replace.js';
import { requirePseudonyms } from '../data/personal/pseudonyms-for.js';
import { identifier, literal, openDuck } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import { readJson } from '../../stores/json-objects.js';
import { requireVersion } from '../lookup.js';
import { fetchPackage } from '../package/fetch-package.js';
import { readFile } from 'node:fs/promises';
import { TextFileError } from '../data/text-file.js';
import { fetchInput, loadInput, pictureOf } from './input.js';
import { inputError } from './refusal.js';
import type { ScoreInput } from './plan-file.js';
import { planKey, ScorePlanFile } from './plan-file.js';
import { textProblem, wholeText } from './whole-text.js';

export interface ScoreRequest { readonly job: string; readonly model: string; readonly version: number; readonly input: string; readonly by: string }
export interface ScorePlan { readonly rows: number; readonly partitions: number }

const ROWS_PER_PARTITION = 5_000;
const BYTES_PER_PARTITION = 64 * 1024 * 1024;

/**
 * Cuts a job's input into partitions and keeps them, so that the input may change or go while the job runs. A plan that is
 * there already is the plan.
 */
export async function planScore(deps: ActivityDeps, { job, model, version, input, by }: ScoreRequest, signal: AbortSignal): Promise<ScorePlan> {
  const { stores, artifacts } = deps;
  const known = await stores.scores.get(job);
  if (known) return { rows: known.rows, partitions: known.partitions };
  const registered = await requireVersion(stores, model, version);
  const directory = await fetchPackage(deps, registered);
  const signature = Signature.parse(JSON.parse(await readFile(join(directory, 'signature.json'), 'utf8')));
  const cut = await withWorkspace(deps.scratch, 'scores', (folder) => cutInput(deps, { model, input, signature, folder, signal }));
  const written = await artifacts.putOnce(planKey(job), new TextEncoder().encode(JSON.stringify({ v: 1, model, version, input, ...cut } satisfies ScorePlanFile)), { contentType: 'application/json' });
  const plan = ScorePlanFile.parse(await readJson(artifacts, written));
  await stores.scores.create({
    job, model, version: plan.version, input: { uri: plan.input, plan: written, by } satisfies ScoreInput,
    outputPrefix: written.uri.slice(0, written.uri.lastIndexOf('/') + 1), partitions: plan.partitions.length, rows: plan.rows,
  });
  return { rows: plan.rows, partitions: plan.partitions.length };
}

async function cutInput(deps: ActivityDeps, { model, input, signature, folder, signal }: { model: string; input: string; signature: Signature; folder: string; signal: AbortSignal }): Promise<Pick<ScorePlanFile, 'rows' | 'partitions'>> {
  const { artifacts } = deps;
  const file = await fetchInput(artifacts, input, folder);
  await mkdir(join(folder, 'duck'));
  const duck = await openDuck(join(folder, 'duck'), signal);
  try {
    const text = await wholeText(duck, file, { folder, pictures: pictureOf(signature) !== null, signal }).catch((error: unknown) => {
      throw error instanceof TextFileError ? inputError(input, textProblem(error), { line: error.line ?? null }) : error;
    });
    const { rows, bytes } = await loadInput(duck, input, text?.path ?? file, signature, {
      looking: { rows: deps.stores.featureRows, at: Date.now(), signal }, replace: () => replaceInputs(deps, duck, { model, signature, signal }),
    });
    if (text && rows < text.rows) throw inputError(input, `has ${text.rows} rows, of which ${rows} could be read: check its quotes and fields`);
    const size = Math.max(1, Math.min(ROWS_PER_PARTITION, Math.floor(BYTES_PER_PARTITION / Math.max(1, bytes / Math.max(1, rows)))));
    const partitions: { rows: number; file: Ref }[] = [];
    await duck.run('set threads = 1');
    for (let from = 0; from < rows; from += size) {
      signal.throwIfAborted();
      const to = Math.min(rows, from + size);
      partitions.push({ rows: to - from, file: await storePartition(duck, artifacts, from, to, join(folder, 'partition.parquet')) });
    }
    return { rows, partitions };
  } finally {
    duck.close();
  }
}

async function storePartition(duck: Duck, artifacts: ActivityDeps['artifacts'], from: number, to: number, file: string): Promise<Ref> {
  await duck.run(`copy (select * from input where row >= ${from} and row < ${to} order by row) to ${literal(file)} (format parquet, compression zstd)`);
  try {
    return await artifacts.putBlob(file);
  } finally {
    await rm(file);
  }
}

/** Personal data of the input is replaced as it was in training, before anything of it is stored. */
async function replaceInputs(deps: ActivityDeps, duck: Duck, { model, signature, signal }: { model: string; signature: Signature; signal: AbortSignal }): Promise<void> {
  for (const { name, personal } of signature.inputs) {
    if (!personal) continue;
    const pseudonyms = await requirePseudonyms(deps, model, personal.key);
    await replaceColumn(duck, { table: 'input', column: identifier(name), action: personal.action, pseudonyms, signal });
  }
}
