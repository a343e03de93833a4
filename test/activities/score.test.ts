import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { WorkflowFailedError } from '@temporalio/client';
import type { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFailureInterceptor } from '../../activities/failures.js';
import { createScoreActivities } from '../../activities/score/index.js';
import { predictionId } from '../../activities/score/partition.js';
import { ScoreManifest } from '../../activities/score/plan-file.js';
import { QUEUES } from '../../contract/names.js';
import { loadNativeParts } from '../../infra/native.js';
import { startRunner } from '../../runtime/runner/start.js';
import type { batchScore } from '../../workflows/batch-score.js';
import { carsAndTrucks } from '../runtime/support/cifar.js';
import { pictureDefinition, tableDefinition } from '../runtime/support/definitions.js';
import { endTimeSkipping, startTimeSkipping } from '../workflows/support.js';
import { createDataStack, query } from './support/data.js';
import type { DataStack } from './support/data.js';
import { registerTrained } from './support/scored-model.js';

const { tfjsNode } = loadNativeParts();
let stack: DataStack;
let temporal: TestWorkflowEnvironment;
let workflowBundle: WorkflowBundleWithSourceMap;
let workers: Worker[] = [];
let running: Promise<void>[] = [];
let table: { model: string; version: number; directory: string };
let pictures: { model: string; version: number };
const images = carsAndTrucks(60);

beforeAll(async () => {
  stack = await createDataStack();
  Object.assign(stack.deps, { tfjsNode });
  temporal = await startTimeSkipping();
  workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/batch-score.ts', import.meta.url)), logger: new DefaultLogger('ERROR') });
  const numbers = Array.from({ length: 60 }, (_, index) => ({ key: `k${index}`, split: index % 3 === 0 ? 'test' as const : 'train' as const, label: index % 2 ? 'yes' : 'no', values: [index % 2, Math.sin(index)] }));
  table = await registerTrained(stack, tableDefinition(['a', 'b'], { training: { epochs: 1 } }), numbers);
  pictures = await registerTrained(stack, pictureDefinition({ training: { epochs: 1 } }), images.map(({ label, png }, index) => ({ key: `p${index}`, split: index % 3 === 0 ? 'test' as const : 'train' as const, label, png })));
  const worker = (taskQueue: string) => Worker.create({ connection: temporal.nativeConnection, taskQueue, workflowBundle, activities: createScoreActivities(stack.deps), interceptors: { activity: [createFailureInterceptor(stack.deps)] } });
  workers = [await worker(QUEUES.lifecycle), await worker(QUEUES.compute)];
  running = workers.map((each) => each.run());
}, 120_000);
afterAll(async () => {
  for (const each of workers) each.shutdown();
  await Promise.all(running);
  await endTimeSkipping(temporal);
  await stack.close();
});

/** Runs the workflow to its end, then replays its history. */
async function score({ job = `job-${randomUUID()}`, ...request }: { model: string; version: number; input: string; job?: string }) {
  const workflowId = `score/${request.model}/${job}`;
  const { model, version, input } = request;
  const result = await temporal.client.workflow.execute<typeof batchScore>('batchScore', { workflowId, taskQueue: QUEUES.lifecycle, args: [{ v: 1, model, version, input, job, by: 'ada' }] });
  await Worker.runReplayHistory({ workflowBundle }, await temporal.client.workflow.getHandle(workflowId).fetchHistory(), workflowId);
  return { ...result, job };
}

/** Every row that a job scored, by its place in the input. */
async function scored(job: string) {
  const done = (await stack.stores.scores.get(job))?.completed ?? [];
  const files = await Promise.all(done.map(async ({ output, partition }) => {
    const file = join(stack.folder, `${job}-${partition}.parquet`);
    await stack.artifacts.getToFile(output, file);
    return `'${file}'`;
  }));
  return query(`select prediction_id, key, row::int as row, class, probabilities, version from read_parquet([${files.join(', ')}]) order by row`);
}

async function file(sql: string, name = `${randomUUID()}.parquet`): Promise<string> {
  const path = join(stack.folder, name);
  await query(`copy (${sql}) to '${path}'`);
  return path;
}
const numbers = (rows: number) => `select 'n' || i as key, i % 2 as a, sin(i) as b, 'passes' as other from range(${rows}) r(i)`;

describe('batch scoring', () => {
  it('gives every row one prediction, the same as the runner gives alone', async () => {
    const { job, rows, partitions, manifest } = await score({ ...table, input: await file(numbers(12_000)) });
    expect({ rows, partitions }).toEqual({ rows: 12_000, partitions: 3 });
    const found = await scored(job);
    expect(found.length).toBe(12_000);
    expect(found.every(({ row, key }, index) => row === index && key === `n${index}`)).toBe(true);
    expect(found[7]).toMatchObject({ prediction_id: predictionId(job, 7), version: table.version });
    expect(new Set(found.map((row) => row['prediction_id'])).size).toBe(12_000);
    const runner = await startRunner({ packageDirectory: table.directory, tfjsNode });
    const alone = await runner.predict({ rows: 1, input: [[1, Math.sin(7)]] });
    await runner.close();
    expect(found[7]?.['probabilities']).toEqual([...alone].map((value) => expect.closeTo(value, 6) as unknown));
    expect(found[7]?.['class']).toBe((alone[0] ?? 0) > (alone[1] ?? 0) ? 'no' : 'yes');
    const written = ScoreManifest.parse(JSON.parse(new TextDecoder().decode(await stack.artifacts.get(manifest))));
    expect(written.partitions.map(({ rows: count }) => count)).toEqual([5_000, 5_000, 2_000]);
    expect((await stack.stores.scores.get(job))?.finishedAt).not.toBeNull();
  });

  it('scores pictures as PNG, as raw bytes and as base64 in JSON lines alike', async () => {
    const input = join(stack.folder, 'pictures.jsonl');
    const lines = images.slice(0, 10).map(({ png }, index) => JSON.stringify({ id: `p${index}`, image: Buffer.from(png).toString('base64') }));
    await writeFile(input, `${lines.join('\n')}\n`);
    const fromLines = await scored((await score({ ...pictures, input })).job);
    const parquet = await file(`select id as key, from_base64(image) as image from read_json('${input}')`);
    await stack.artifacts.putAt('inputs/pictures.parquet', parquet);
    const fromS3 = await scored((await score({ ...pictures, input: `s3://${stack.bucket}/inputs/pictures.parquet` })).job);
    const plain = (rows: Record<string, unknown>[]) => rows.map(({ key, row, class: name, probabilities }) => ({ key, row, name, probabilities }));
    expect(plain(fromS3)).toEqual(plain(fromLines));
    expect(fromS3.length).toBe(10);
  });

  it('scores photos as the pixels that they hold', async () => {
    const photos = await Promise.all(images.slice(0, 3).map(({ png }) => sharp(png).jpeg().toBuffer()));
    const unpacked = await Promise.all(photos.map((photo) => sharp(photo).raw().toBuffer()));
    const answered = async (values: readonly Buffer[]) => {
      const input = join(stack.folder, `photos-${randomUUID()}.jsonl`);
      await writeFile(input, values.map((image, index) => JSON.stringify({ id: `p${index}`, image: image.toString('base64') })).join('\n'));
      return (await scored((await score({ ...pictures, input })).job)).map(({ key, class: name, probabilities }) => ({ key, name, probabilities }));
    };
    expect(await answered(photos)).toEqual(await answered(unpacked));
    const bright = Buffer.from(unpacked[0] ?? []).fill(Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 0, 4);
    expect(await answered([bright])).toHaveLength(1); // no JPEG: raw pixels that begin like one
  });

  it('killed in the middle, goes on: rows once, finished partitions untouched', async () => {
    const job = `job-${randomUUID()}`;
    const input = await file(numbers(26_000));
    const request = { job, model: table.model, version: table.version, input, by: 'ada' };
    const child = spawn(process.execPath, [fileURLToPath(new URL('support/score-process.mjs', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, SCORE: JSON.stringify({ databaseUrl: stack.databaseUrl, s3: { ...stack.stack.config.s3, bucket: stack.bucket }, scratch: stack.deps.scratch, tfjsNode, request }) },
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); if (said.includes('done 1')) resolve(); });
      child.on('exit', (code) => { reject(new Error(`the process ended with ${String(code)} after: ${said}`)); });
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    const before = (await stack.stores.scores.get(job))?.completed ?? [];
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(before.length).toBeLessThan(6);
    // The input is gone: the plan has kept it.
    await writeFile(input, 'gone');
    expect(await score(request)).toMatchObject({ rows: 26_000, partitions: 6 });
    expect((await stack.stores.scores.get(job))?.completed.slice(0, before.length)).toEqual(before);
    const found = await scored(job);
    expect(found.length).toBe(26_000);
    expect(found.findIndex(({ row }, index) => row !== index)).toBe(-1);
  });

  it('a partition that was written but not recorded is recorded as it was written', async () => {
    const job = `job-${randomUUID()}`;
    const { stores } = stack;
    let failures = 0;
    const failing = createScoreActivities({ ...stack.deps, stores: { ...stores, scores: { ...stores.scores, completePartition: () => { failures += 1; return Promise.reject(new Error('the process died here')); } } } });
    const activities = createScoreActivities(stack.deps);
    const run = <T>(work: () => Promise<T>) => new MockActivityEnvironment().run<[], T, () => Promise<T>>(work);
    await run(() => activities.planScore({ job, model: table.model, version: table.version, input: '/nowhere', by: 'ada' })).catch((error: unknown) => { expect(error).toMatchObject({ code: 'score/input' }); });
    await run(async () => activities.planScore({ job, model: table.model, version: table.version, input: await file(numbers(100)), by: 'ada' }));
    await expect(run(() => failing.scorePartition({ job, partition: 0 }))).rejects.toThrow(/died here/);
    const [written] = await stack.artifacts.list(`scores/${job}/part-`);
    await run(() => activities.scorePartition({ job, partition: 0 }));
    await run(() => activities.scorePartition({ job, partition: 0 }));
    expect(await stack.artifacts.list(`scores/${job}/part-`)).toEqual([written]);
    expect(failures).toBe(1);
    expect((await scored(job)).length).toBe(100);
  });
});

describe('input that cannot be scored', () => {
  async function refusal(request: { model: string; version: number }, input: string): Promise<ApplicationFailure> {
    const error: unknown = await score({ ...request, input }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    return ((error as WorkflowFailedError).cause as ActivityFailure).cause as ApplicationFailure;
  }

  it('is refused once, with what and where', async () => {
    const missing = await refusal(table, await file('select 1 as a'));
    expect(missing).toMatchObject({ type: 'score/input', nonRetryable: true });
    expect(missing.message).toMatch(/columns are missing: b; it has a/);
    expect((await refusal(table, await file(`select 1 as a, 'text' as b`))).message).toMatch(/column b does not hold a finite number in row 0/);
    expect((await refusal(table, await file(`select 1 as a, case when i = 3 then null else 1.5 end as b from range(5) r(i)`))).message).toMatch(/column b does not hold a finite number in row 3/);
    const whole = await file(numbers(1_000));
    await writeFile(whole, (await readFile(whole)).subarray(0, 2_000));
    expect((await refusal(table, whole)).message).toMatch(/no whole Parquet/);
    // DuckDB itself takes a Zstandard file that was cut for a whole one, and would score the rows before the cut.
    const packed = join(stack.folder, 'rows.csv.zst');
    await query(`copy (${numbers(20_000)}) to '${packed}' (format csv, header, compression zstd)`);
    await writeFile(packed, (await readFile(packed)).subarray(0, -2_000));
    expect((await refusal(table, packed)).message).toMatch(/Zstandard file was cut/);
    expect((await refusal(table, '/nowhere/rows.parquet')).message).toMatch(/is not there/);
    expect((await refusal(table, `s3://${stack.bucket}/nowhere.parquet`)).message).toMatch(/is not there/);
    expect((await refusal(pictures, await file(`select 'k' as key, 'abc'::blob as image`))).message).toMatch(/row 0 \(k\) holds 3 bytes/);
    const cut = (await sharp(images[0]?.png).jpeg().toBuffer()).subarray(0, 400);
    expect((await refusal(pictures, await file(`select 'k' as key, from_base64('${cut.toString('base64')}') as image`))).message).toMatch(/row 0: row 'k': the picture is no readable JPEG \(/);
  });
});
