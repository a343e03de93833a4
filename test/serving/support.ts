import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PackageManifest } from '../../contract/package.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import { canonicalJson } from '../../domain/canonical.js';
import { digestOf } from '../../domain/digest.js';
import { loadNativeParts } from '../../infra/native.js';
import { evaluateInChild, type Evaluated } from '../../runtime/evaluate/evaluate.js';
import { trainInChild } from '../../runtime/train/train.js';
import { createServer, type PredictionServer, type ServerOptions } from '../../serving/server.js';
import { createArtifacts, type Artifacts } from '../../stores/artifacts.js';
import { createDatabase } from '../../stores/database.js';
import { createStores } from '../../stores/index.js';
import { createProxy, type Proxy } from '../gateway/proxy.js';
import { carsAndTrucks } from '../runtime/support/cifar.js';
import { pictureDefinition } from '../runtime/support/definitions.js';
import { writeSnapshot } from '../runtime/support/snapshot.js';
import { addModel, addRun, commit, digest, versionOf } from '../stores/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { madeOnce } from '../support/made-once.js';
import { useStack, type SharedStack } from '../support/use-stack.js';

export const { tfjsNode } = loadNativeParts();

/** A tiny network, really trained, with the rows it was judged on. */
export interface Trained { readonly directory: string; readonly snapshot: LocalSnapshot; readonly evaluated: Evaluated }

export interface Place { readonly model: string; readonly environment: string }

type Change = (path: string, bytes: Buffer) => Buffer;
const same: Change = (_path, bytes) => bytes;

export interface Fixture {
  readonly stack: SharedStack; readonly database: TestDatabase; readonly artifacts: Artifacts; readonly bucket: string; readonly trained: Trained;
  readonly folder: string; readonly token: string;
  /** In front of PostgreSQL; servers go through it, the test itself does not. */
  readonly proxy: Proxy; readonly proxyUrl: string;
  /** A model, and an environment that serves nothing else. */
  place(): Promise<Place>;
  /** Registers one more version of the model, of the pictures' network unless another is given. `pack` changes a file before the manifest is made, `damage` after it. */
  addVersion(model: string, changes?: { trained?: Trained; pack?: Change; damage?: Change }): Promise<number>;
  route(place: Place, version: number | null, keepWarmMs?: number): Promise<number>;
  /** A server in this process, reaching PostgreSQL through the proxy. */
  serve(environment: string, options?: Partial<ServerOptions>): Promise<PredictionServer & { problems: string[]; segments: string }>;
  close(): Promise<void>;
}

/** Real PostgreSQL, S3 and TensorFlow, and a network of two classes trained in a moment. */
export async function createFixture(): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-serving-'));
  const stack = await useStack(['postgres', 's3']);
  const [database, bucket, trained] = await Promise.all([createTestDatabase(), stack.createBucket(), trainOnce('pictures', stack, train)]);
  const artifacts = createArtifacts({ ...stack.config.s3, bucket });
  const address = new URL(database.url);
  const proxy = await createProxy(address.hostname, Number(address.port));
  const proxyUrl = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
  const { stores } = database;
  await stores.principals.create({ id: 'client', kind: 'machine', displayName: 'Client', email: null, publicKey: null });
  const { token } = await stores.principals.createToken({ principal: 'client', scopes: ['predict', 'label'], name: 'test' });
  const servers: PredictionServer[] = [];

  return {
    stack, database, artifacts, bucket, trained, folder, token, proxy, proxyUrl,
    async place() {
      const environment = `env-${randomUUID().slice(0, 8)}`;
      await stores.environments.ensure(environment);
      return { model: await addModel(stores), environment };
    },
    async addVersion(model, { trained: { directory, evaluated, snapshot } = trained, pack = same, damage = same } = {}) {
      const run = await addRun(stores, model);
      const files = ['model.json', 'weights.bin', 'signature.json', 'preprocessing.json', 'profile.json'].map((path) => ({ path, bytes: pack(path, readFileSync(join(directory, path))) }));
      files.push({ path: 'golden.json', bytes: pack('golden.json', Buffer.from(canonicalJson(evaluated.golden))) }, { path: 'card.md', bytes: Buffer.from(`# ${model}\n`) });
      const content = {
        model, commit: commit(run), trainingDigest: digest('training'), snapshot: snapshot.manifest.digest, hyperparameters: { run },
        files: files.map(({ path, bytes }) => ({ path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length })),
      };
      const manifest = PackageManifest.parse({ v: 1, digest: digestOf(content), content });
      for (const { path, bytes } of files) await artifacts.putAt(`packages/${manifest.digest}/${path}`, damage(path, bytes));
      const ref = await artifacts.putAt(`packages/${manifest.digest}/manifest.json`, Buffer.from(canonicalJson(manifest)));
      return (await stores.versions.register({ ...versionOf(model, run), packageDigest: manifest.digest, manifest: ref })).version;
    },
    async route({ model, environment }, version, keepWarmMs = 60_000) {
      const expected = (await stores.routes.current(environment, model))?.generation ?? 0;
      const written = await stores.routes.write({ environment, model, expected, intent: randomUUID(), arms: version === null ? [] : [{ version, role: 'live', share: 1 }], keepWarmMs, by: 'test', reason: 'test' });
      if (!written.ok) throw new Error('the route was written by somebody else');
      return written.route.generation;
    },
    async serve(environment, options = {}) {
      const own = join(folder, randomUUID());
      const problems: string[] = [];
      const db = createDatabase(proxyUrl, { max: 6, applicationName: 'test server' });
      const server = await createServer({
        environment, replica: `replica-${randomUUID().slice(0, 8)}`, database: db, stores: createStores(db), artifacts, tfjsNode, softwareVersion: '0.0.0', pseudonymKey: () => Promise.resolve('a secret of tests'),
        scratch: own, segmentDir: join(own, 'segments'), onProblem: (message, error) => problems.push(`${message}${error instanceof Error ? `: ${error.message}` : ''}`), ...options, limits: { drainMs: 100, ...options.limits },
      });
      let closing: Promise<void> | undefined;
      const close = () => (closing ??= server.close().then(() => db.close()));
      servers.push({ ...server, close });
      await server.settled;
      return { ...server, close, problems, segments: options.segmentDir ?? join(own, 'segments') };
    },
    async close() {
      proxy.restore();
      await Promise.all(servers.map((server) => server.close()));
      await proxy.close();
      artifacts.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const trainedHere = new Map<string, Promise<Trained>>();

/** The test files of a run share their networks, which are read only. Folders go with the stack's. */
export function trainOnce(name: string, { env, run }: SharedStack, train: (folder: string) => Promise<Trained>): Promise<Trained> {
  const trained = trainedHere.get(name) ?? madeOnce(join(z.string().parse(env['PERENNIAL_HOME']), `trained-${name}-${run}`), train);
  trainedHere.set(name, trained);
  return trained;
}

async function train(folder: string): Promise<Trained> {
  const pictures = carsAndTrucks(120).map(({ label, png }, index) => ({ key: `p${1000 + index}`, split: index % 4 === 0 ? 'test' as const : 'train' as const, label, png, attributes: { light: 'day' } }));
  const snapshot = await writeSnapshot(join(folder, 'snapshot'), pictures, { classes: ['car', 'truck'], shards: 1 });
  const { modelDirectory } = await trainInChild({ definition: pictureDefinition({ training: { epochs: 1 } }), snapshot, bundleCode: null, attemptDirectory: join(folder, 'attempt'), resumeFrom: null, mode: 'full', tfjsNode });
  const evaluated = await evaluateInChild({ modelDirectory, snapshot, tfjsNode });
  return { directory: modelDirectory, snapshot, evaluated };
}

/** Pixels of a picture that the network predicts with `probabilities`. */
export function goldenPicture({ evaluated }: Trained, at = 0): { pixels: number[]; probabilities: readonly number[]; class: string } {
  const row = evaluated.golden.rows[at];
  if (!row || typeof row.input !== 'string' || 'value' in row) throw new Error('there is no golden picture');
  return { pixels: [...Buffer.from(row.input, 'base64')], probabilities: row.probabilities, class: row.class };
}

export const imageInput = (pixels: readonly number[], rows = 1) => ({ name: 'image', shape: [rows, 32, 32, 3], datatype: 'UINT8', data: Array.from({ length: rows }, () => pixels).flat() });

export interface InferAnswer { id: string; model_version: string; parameters: { prediction_ids: string[]; version: number; generation: number; arm: string; guardrails?: { row: number; guardrail: string; action: string; column?: string; rule?: string; skipped?: string[] }[] }; outputs: { name: string; shape: number[]; datatype: string; data: (number | string)[] }[] }

export async function ask(url: string, token: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export async function infer(url: string, token: string, model: string, body: unknown): Promise<InferAnswer> {
  const answer = await ask(url, token, `/v2/models/${model}/infer`, body);
  if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as InferAnswer;
}

/** Runners that a process has started. */
export function runnersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter((text) => text !== '').map(Number);
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('programs/runner.js'));
}
