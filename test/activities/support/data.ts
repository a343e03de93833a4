import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DuckDBInstance } from '@duckdb/node-api';
import { encode } from 'fast-png';
import { createDataActivities } from '../../../activities/data/index.js';
import type { SnapshotResult } from '../../../activities/data/index.js';
import type { ActivityDeps } from '../../../activities/deps.js';
import { ModelDefinition } from '../../../definition/model.js';
import type { ModelDefinitionInput } from '../../../definition/model.js';
import { createArtifacts } from '../../../stores/artifacts.js';
import { addModel, addRun, commit, digest, ref, uuid7 } from '../../stores/samples.js';
import { createTestDatabase } from '../../support/database.js';
import { useStack } from '../../support/use-stack.js';

export const SHAPE = { height: 4, width: 4, channels: 3 } as const;

/** Pixels of a picture that no other number has. */
export function pixels(number: number): Uint8Array<ArrayBuffer> {
  const hash = createHash('sha256').update(`picture ${number}`).digest();
  return Uint8Array.from({ length: 48 }, (_, index) => hash[index % 32] ?? 0);
}
export const png = (bytes: Uint8Array): Uint8Array => encode({ width: 4, height: 4, channels: 3, depth: 8, data: bytes });

export type Data = ModelDefinitionInput['data'];

/** PostgreSQL, S3 and a scratch folder of one test file, with the activities on them. */
export async function createDataStack() {
  const stack = await useStack(['postgres', 's3']);
  const database = await createTestDatabase();
  const { stores } = database;
  const bucket = await stack.createBucket();
  const artifacts = createArtifacts({ ...stack.config.s3, bucket });
  const folder = await mkdtemp(join(tmpdir(), 'perennial-data-'));
  const warehouse = { url: database.url };
  const deps: ActivityDeps = {
    stores, artifacts, scratch: join(folder, 'scratch'), tfjsNode: '', publicUrl: '', mailFrom: '', serverToken: () => Promise.resolve(''), sqlConnection: (name) => (name === 'warehouse' ? warehouse.url : null), pseudonymKey: () => Promise.resolve('a secret of tests'),
    // Data activities talk to no workflow.
    temporal: {} as ActivityDeps['temporal'],
  };
  await mkdir(deps.scratch);
  const activities = createDataActivities(deps);

  return {
    deps, stores, artifacts, folder, bucket, stack, databaseUrl: database.url,

    /** The database behind the connection of this name. */
    warehouse,

    /** A model whose definition at a commit (a new one if not told) has this data, in a file of this `code`. Returns what builds its snapshot. */
    async define(data: Data, model?: string, code?: string, more: Partial<ModelDefinitionInput> = {}, at: string = commit(randomUUID())) {
      const name = model ?? await addModel(stores);
      const definition = ModelDefinition.parse({
        schema: 1, name, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'a test', data,
        network: { layers: [{ className: 'Dense', config: { units: 2 } }] }, training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, epochs: 1, batchSize: 8, seed: 1 },
        evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse', metric: data.target.task === 'regression' ? 'mae' : 'accuracy' }] }, ...more,
      } satisfies ModelDefinitionInput);
      await stores.models.saveDefinition({ model: name, repository: 'cars', commit: at, path: 'cars.model.ts', trainingDigest: digest('t'), policyDigest: digest('p'), definition, bundle: code === undefined ? ref('bundle') : await artifacts.putBlob(new TextEncoder().encode(code)), networkBundle: null });
      const run = await addRun(stores, name);
      const request = { model: name, commit: at, run };
      return { model: name, request, build: () => new MockActivityEnvironment().run<[], SnapshotResult, () => Promise<SnapshotResult>>(() => activities.buildSnapshot(request)) };
    },

    /** Binds a new location to a folder; gives its name and how to fill it. */
    async locate(name = `place-${randomUUID().slice(0, 8)}`) {
      const root = join(folder, name);
      await mkdir(root, { recursive: true });
      await stores.locations.set(name, `file://${root}`, 'ada');
      return {
        name, root,
        async put(file: string, bytes: Uint8Array | string) {
          const path = join(root, file);
          await mkdir(dirname(path), { recursive: true });
          await writeFile(path, bytes);
          await utimes(path, 1_700_000_000, 1_700_000_000);
        },
      };
    },

    /** Logs a prediction and its label. */
    async predicted(model: string, { input, shape, label, attributes = {}, at = new Date().toISOString() }: { input: Uint8Array<ArrayBuffer>; shape: readonly number[]; label: string; attributes?: Record<string, string>; at?: string }) {
      const id = uuid7(at);
      await stores.predictions.insertMany([{
        id, requestId: id, model, version: 1, environment: 'production', role: 'live', generation: 1, replica: 'replica-1', at, input, inputShape: [...shape], inputDigest: digest(id),
        attributes, outputs: { class: label, probabilities: [0.5, 0.5] }, latencyMs: 1, status: 'ok',
      }]);
      await stores.labels.add([{ predictionId: id, requestId: null, model, label, by: 'ada', at }]);
      return id;
    },

    async close() {
      artifacts.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type DataStack = Awaited<ReturnType<typeof createDataStack>>;

/** Rows of a query over Parquet files, or anything else DuckDB knows. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Keys of the rows of shards' files, in order. */
export async function keysOf(paths: readonly string[]): Promise<string[]> {
  return (await query(`select key from read_parquet([${paths.map((path) => `'${path}'`).join(', ')}]) order by key`)).map(({ key }) => String(key));
}
