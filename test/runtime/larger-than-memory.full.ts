import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSnapshot } from '../../activities/data/index.js';
import { digestOf } from '../../domain/digest.js';
import { loadNativeParts } from '../../infra/native.js';
import { trainInChild } from '../../runtime/train/train.js';
import { createDataStack, query } from '../activities/support/data.js';
import type { DataStack } from '../activities/support/data.js';
import { tableDefinition } from './support/definitions.js';

/**
 * A table of 10,000,000 rows of 50 numbers, 4 GB as Parquet, beside one of a tenth of it. On a disk it takes 20 GB while the test
 * runs: the files, what a build works with, the snapshot in S3, and its shards on this machine.
 */
const MILLION = 1_000_000;
const COLUMNS = Array.from({ length: 50 }, (_, index) => `c${index}`);
const MOST_MB = 1000;
const { tfjsNode } = loadNativeParts();

let stack: DataStack;
let place: Awaited<ReturnType<DataStack['locate']>>;
beforeAll(async () => {
  stack = await createDataStack();
  place = await stack.locate();
});
afterAll(() => stack.close());

/** Integers divided by 7: the same doubles on every machine. */
async function writeMillion(number: number, columns = COLUMNS, folder = place.root): Promise<void> {
  const values = columns.map((name, index) => `(i * ${48_271 * (index + 1)} % 1000003)::double / 7 as ${name}`);
  await query(`copy (select 'row-' || i as id, case when i * 48271 % 1000003 < 500000 then 'no' else 'yes' end as outcome, ${values.join(', ')}
    from range(${number * MILLION}, ${(number + 1) * MILLION}) r(i)) to '${join(folder, `million-${number}.parquet`)}' (format parquet)`);
}

interface Build { readonly digest: string; readonly rows: number; readonly blocked: boolean; readonly peakMb: number }

/** Builds a snapshot of the files in a process of its own, so that what is measured is the build. */
async function build(path: string, columns = COLUMNS, location = place.name): Promise<Build> {
  const { request } = await stack.define({
    kind: 'table', columns, target: { name: 'outcome', classes: ['no', 'yes'] },
    sources: [{ kind: 'parquet', location, path, key: 'id', split: { byKey: { train: 0.7, validation: 0.1, test: 0.2 } }, attributes: { region: 'north' } }],
  });
  const told = { databaseUrl: stack.databaseUrl, s3: { ...stack.stack.config.s3, bucket: stack.bucket }, scratch: stack.deps.scratch, request };
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('support/build-snapshot.mjs', import.meta.url))], { env: { ...process.env, BUILD: JSON.stringify(told) } });
  return JSON.parse(stdout) as Build;
}

/** One epoch over a snapshot; gives the most memory that the child had, in MB. */
async function trainingPeak(digest: string): Promise<number> {
  const definition = tableDefinition(COLUMNS, { training: { epochs: 1, batchSize: 4096 } });
  let [pid, peakMb] = [0, 0];
  const measure = () => { peakMb = Math.max(peakMb, Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024); };
  await trainInChild({
    definition, bundleCode: null, snapshot: await openSnapshot(stack.deps, digest), attemptDirectory: join(stack.folder, `attempt-${digest}`), resumeFrom: null, mode: 'full', tfjsNode,
    onStart: (started) => { pid = started; },
    onProgress: measure,
    onCheckpoint: () => Promise.resolve(measure()),
  });
  return peakMb;
}

describe('a table ten times as large', () => {
  let [small, large]: (Build | undefined)[] = [];

  test('becomes a snapshot in the same memory, under 1 GB', async () => {
    await writeMillion(0);
    small = await build('*-0.parquet');
    expect(small).toMatchObject({ rows: MILLION, blocked: false });
    // A program of another language computed it of contract/snapshot.ts and of the rows alone: whatever the way, the same rows are the same snapshot.
    const { manifest } = await openSnapshot(stack.deps, small.digest);
    expect(digestOf(manifest.content.shards)).toBe('aa498a09947a595c6b94265678df202d51f0e035eba1ba4ad20433a39ae584cf');
    for (let number = 1; number < 10; number += 1) await writeMillion(number);
    large = await build('*.parquet');
    expect(large).toMatchObject({ rows: 10 * MILLION, blocked: false });
    process.stdout.write(`peak memory of the build: ${small.peakMb.toFixed(0)} MB for 1,000,000 rows, ${large.peakMb.toFixed(0)} MB for 10,000,000\n`);
    expect(large.peakMb).toBeLessThan(MOST_MB);
    expect(large.peakMb).toBeLessThan(1.5 * small.peakMb);
    await rm(place.root, { recursive: true });
  }, 20 * 60_000);

  test('of 20 columns becomes one under 1 GB, too', async () => {
    const few = await stack.locate();
    const columns = COLUMNS.slice(0, 20);
    for (let number = 0; number < 10; number += 1) await writeMillion(number, columns, few.root);
    const began = performance.now();
    const built = await build('*.parquet', columns, few.name);
    expect(built).toMatchObject({ rows: 10 * MILLION, blocked: false });
    process.stdout.write(`peak memory of the build: ${built.peakMb.toFixed(0)} MB for 10,000,000 rows of 20 columns, in ${((performance.now() - began) / 1_000).toFixed(0)} s\n`);
    expect(built.peakMb).toBeLessThan(MOST_MB);
    await rm(few.root, { recursive: true });
  }, 20 * 60_000);

  test('trains in at most 1.1 times the memory, under 1 GB', async () => {
    const [before, after] = [await trainingPeak(small?.digest ?? ''), await trainingPeak(large?.digest ?? '')];
    process.stdout.write(`peak memory of the training: ${before.toFixed(0)} MB for 1,000,000 rows, ${after.toFixed(0)} MB for 10,000,000\n`);
    expect(after).toBeLessThan(MOST_MB);
    expect(after).toBeLessThan(1.1 * before);
  }, 15 * 60_000);
});
