import type { Ref } from '../../contract/ref.js';
import { PerennialError } from '../../contract/errors.js';
import type { ActivityDeps } from '../deps.js';
import { manifestKey, ScoreInput } from './plan-file.js';
import type { ScoreManifest } from './plan-file.js';

export interface ScoreResult { readonly rows: number; readonly partitions: number; readonly manifest: Ref }

/** Writes the manifest of a job whose partitions are all done, then says so in its row. The same partitions give the same manifest. */
export async function finishScore({ stores, artifacts }: ActivityDeps, { job }: { job: string }): Promise<ScoreResult> {
  const score = await stores.scores.get(job);
  if (!score) throw new PerennialError('score/input', `the job ${job} was never planned`, { job });
  const scored = score.completed.reduce((sum, { rows }) => sum + rows, 0);
  if (score.completed.length !== score.partitions || scored !== score.rows) throw new Error(`job ${job} has ${score.completed.length} of ${score.partitions} partitions and ${scored} of ${score.rows} rows`);
  const manifest: ScoreManifest = {
    v: 1, job, model: score.model, version: score.version, input: ScoreInput.parse(score.input).uri, rows: score.rows,
    partitions: score.completed.map(({ partition, rows, output }) => ({ partition, rows, file: output })),
  };
  const ref = await artifacts.putAt(manifestKey(job), new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`), { contentType: 'application/json' });
  await stores.scores.finish(job);
  return { rows: score.rows, partitions: score.partitions, manifest: ref };
}
