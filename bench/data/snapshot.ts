import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { buildSnapshot } from '../../activities/data/build.js';
import { ENCODED } from '../../activities/data/tables.js';
import { ModelDefinition } from '../../definition/model.js';
import { digestOf } from '../../domain/digest.js';
import { startTestStack } from '../../infra/stack/testing.js';
import { createArtifacts } from '../../stores/artifacts.js';
import { createDatabase } from '../../stores/database.js';
import { createStores } from '../../stores/index.js';
import { migrate } from '../../stores/migrate.js';
import { createTryDeps } from '../../workers/try/deps.js';
import { COLUMNS, ROWS } from './material.js';

/** Seconds until the file is copied, and until the copy is in S3 as well; and the same of the least that a snapshot's promises take. */
export interface CopySeconds { readonly copied: number; readonly stored: number; readonly least: number; readonly leastStored: number }

/** Builds snapshots of a file on a PostgreSQL and an S3 of its own, each as the first one of a model; and copies the file, and does nothing else. */
export interface SnapshotBench { build(signal: AbortSignal): Promise<number>; copy(): Promise<CopySeconds>; close(): Promise<void> }

export async function createSnapshotBench(file: string, folder: string): Promise<SnapshotBench> {
  const stack = await startTestStack({ parts: ['postgres', 's3'] });
  const database = createDatabase(stack.config.databaseUrl, { applicationName: 'perennial bench' });
  await migrate(database);
  const stores = createStores(database);
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  const parts = createTryDeps(new Map(), scratch);
  let built = 0;
  await stores.repositories.add({ name: 'bench', url: 'file:///bench', branches: ['main'], pollSeconds: 0, by: 'bench' });
  await stores.locations.set('rows', `file://${dirname(file)}`, 'bench');
  return {
    /** Seconds of one build. A snapshot's name holds its model's, and what is in S3 is not sent again: another model and another bucket, so that everything is. */
    async build(signal) {
      const model = `bench-${built += 1}`;
      const artifacts = createArtifacts({ ...stack.config.s3, bucket: await createBucket(stack.config.s3, model) });
      const definition = definitionOf(model);
      const commit = digestOf(model).slice(0, 40);
      const blob = await artifacts.putBlob(new TextEncoder().encode(model));
      await stores.models.ensure({ name: model, repository: 'bench', path: 'bench.model.ts', owner: definition.owner, purpose: definition.purpose });
      await stores.models.saveDefinition({ model, repository: 'bench', commit, path: 'bench.model.ts', trainingDigest: digestOf('training'), policyDigest: digestOf('policy'), definition, bundle: blob, networkBundle: null });
      const { run } = await stores.runs.create({ model, cause: model, reason: { kind: 'request', detail: 'bench', by: 'bench', force: false }, commit, trainingDigest: digestOf('training'), policyDigest: digestOf('policy') });
      const began = performance.now();
      const result = await buildSnapshot({ ...parts.deps, stores, artifacts }, { model, commit, run: run.id }, signal, { rows: 0, shards: 0 });
      const seconds = (performance.now() - began) / 1_000;
      artifacts.close();
      if (result.rows !== ROWS || result.blocked) throw new Error(`the snapshot has ${result.rows} rows: ${JSON.stringify(result.report.findings)}`);
      return seconds;
    },
    async copy() {
      const [inOrder, plain] = ['in-order.parquet', 'copy.parquet'].map((name) => join(folder, name)) as [string, string];
      const artifacts = createArtifacts({ ...stack.config.s3, bucket: stack.config.s3.bucket });
      const send = async (path: string) => {
        const began = performance.now();
        await artifacts.putAt(`copies/${randomUUID()}`, path);
        await rm(path);
        return (performance.now() - began) / 1_000;
      };
      const { copied, least } = await copyFile(file, { inOrder, plain });
      const seconds = { copied, least, leastStored: least + await send(inOrder), stored: copied + await send(plain) };
      artifacts.close();
      return seconds;
    },
    async close() {
      await Promise.all([database.close(), parts.close()]);
      await stack.close();
    },
  };
}

async function createBucket(s3: Awaited<ReturnType<typeof startTestStack>>['config']['s3'], name: string): Promise<string> {
  const client = new S3Client({ region: s3.region, endpoint: s3.endpoint, forcePathStyle: true, credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
  return name;
}

function definitionOf(name: string): ModelDefinition {
  return ModelDefinition.parse({
    schema: 1, name, owner: { name: 'Bench', email: 'bench@example.com' }, purpose: 'a benchmark',
    data: { kind: 'table', columns: COLUMNS, target: { name: 'label', classes: ['leaves', 'stays'] }, sources: [{ kind: 'parquet', location: 'rows', path: '*.parquet', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } } }] },
    network: { layers: [{ className: 'Dense', config: { units: 2, activation: 'softmax' } }] }, training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, epochs: 1, batchSize: 64, seed: 1 },
    evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
  });
}

/**
 * Seconds of what a snapshot is held against: DuckDB reads the file and writes it again as it compresses with Zstandard, on all cores (a shard is written by
 * one, so that its bytes are always the same). Nothing is checked, hashed, sorted or flushed to the disk; the start of DuckDB is not counted. Then, `least`: the rows
 * are written in the order of their keys, as shards are. No snapshot takes less, and none is in S3 sooner than these are.
 */
async function copyFile(file: string, { inOrder, plain }: { readonly inOrder: string; readonly plain: string }): Promise<{ copied: number; least: number }> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const secondsOf = async (sql: string) => {
    const began = performance.now();
    await connection.run(sql);
    return (performance.now() - began) / 1_000;
  };
  const least = await secondsOf(`copy (select * from read_parquet('${file}') order by id) to '${inOrder}' (format parquet, ${ENCODED})`);
  const copied = await secondsOf(`copy (select * from read_parquet('${file}')) to '${plain}' (format parquet, compression zstd)`);
  connection.closeSync();
  instance.closeSync();
  return { copied, least };
}
