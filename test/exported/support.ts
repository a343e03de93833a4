import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { createGateway } from '../../gateway/app.js';
import { createCliHome, type CliHome } from '../cli/support.js';
import { root } from '../docs/support.js';
import { digest } from '../stores/samples.js';
import { ask, createFixture, goldenPicture, type Fixture } from '../serving/support.js';
import { passenger, serveModels, type ServedModels } from '../serving/tables.js';

export const TERMS = 'CC BY 4.0, https://data.example/terms';
export type Answer = { readonly class: string; readonly probabilities: readonly number[] } | { readonly value: number };

export interface ExportScene {
  readonly fixture: Fixture; readonly models: ServedModels; readonly cli: CliHome;
  /** A folder with the exported packages in its `node_modules`, beside TensorFlow.js as npm installs it. */
  readonly app: string;
  close(): Promise<void>;
}

/** A server with a model of each kind, the gateway that knows them, and each of them exported by the command line. */
export async function createExportScene(): Promise<ExportScene> {
  const fixture = await createFixture();
  const models = await serveModels(fixture);
  const { database, artifacts } = fixture;
  await addSnapshot(fixture, models.pictures);
  const { token } = await administrator(fixture);
  const gateway = await createGateway({
    config: { host: '127.0.0.1', port: 0, publicUrl: null, secretsDir: fixture.folder }, stores: database.stores, artifacts, listen: async () => async () => undefined,
    temporal: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }), log: () => undefined, // an export asks no workflow
  });
  const cli = await createCliHome(gateway.url, token);
  const app = join(cli.folder, 'app');
  const modules = join(app, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const [name, model] of [['pictures', models.pictures], ['table', models.table], ['prices', models.prices]] as const) {
    const { code, err } = await cli.run(['export', `${model}@1`, '--as', 'npm', '--name', name, '--out', name]);
    if (code !== 0) throw new Error(err);
    cpSync(join(cli.folder, name), join(modules, name), { recursive: true });
  }
  for (const name of ['@tensorflow', 'sharp']) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  return { fixture, models, cli, app, close: async () => { await gateway.close(); await cli.close(); await fixture.close(); } };
}

async function addSnapshot({ trained, artifacts, database: { stores } }: Fixture, model: string): Promise<void> {
  const { manifest } = trained.snapshot;
  const stored = { ...manifest, sources: [{ description: 'pictures of the town', rows: 90, terms: TERMS }, { description: 'pictures of the yard', rows: 30 }] };
  const ref = await artifacts.putAt('snapshots/of-the-test/manifest.json', Buffer.from(JSON.stringify(stored)));
  await stores.snapshots.save({ digest: digest('snapshot'), model, manifest: ref, rows: 120, counts: manifest.counts, report: { v: 1, blocked: false, findings: [] }, blocked: false, profile: null }, 0);
}

async function administrator({ database: { stores } }: Fixture): Promise<{ token: string }> {
  await stores.principals.create({ id: 'ada', kind: 'person', displayName: 'Ada', email: null, publicKey: null });
  await stores.principals.grant('ada', 'viewer', null);
  return stores.principals.createToken({ principal: 'ada', scopes: ['api'], name: 'test' });
}

/** Rows of every kind, as their files, their values, and what a server is asked. */
export async function rowsOf({ fixture, models }: ExportScene): Promise<{ pictures: Buffer[]; photos: Buffer[]; table: Record<string, unknown>[]; prices: Record<string, unknown>[]; answers: { pictures: Answer[]; photos: Answer[]; table: Answer[]; prices: Answer[] } }> {
  const pixels = fixture.trained.evaluated.golden.rows.slice(0, 8).map((_, at) => Uint8Array.from(goldenPicture(fixture.trained, at).pixels));
  const pictures = [
    ...pixels.map((data) => Buffer.from(encode({ width: 32, height: 32, channels: 3, data }))),
    Buffer.from(encode({ width: 32, height: 32, channels: 1, data: Uint8Array.from({ length: 1024 }, (_, at) => at % 251) })),
    Buffer.from(encode({ width: 32, height: 32, channels: 4, data: Uint8Array.from({ length: 4096 }, (_, at) => (at % 4 === 3 ? 255 : (at * 7) % 253)) })),
  ];
  const photos = await Promise.all(pixels.slice(0, 4).flatMap((data) => [sharp(data, { raw: { width: 32, height: 32, channels: 3 } }).jpeg({ quality: 90 }).toBuffer(), sharp(data, { raw: { width: 32, height: 32, channels: 3 } }).webp({ lossless: true }).toBuffer()]));
  const table = [passenger, { ...passenger, age: null }, { city: 'Graz', alone: false, booked: '2026-01-05' }, { ...passenger, age: -0.5, city: 'Linz', booked: '2026-07-31T23:59:59.5+02:00' }];
  const prices = [{ size: 51 }, { size: 1e6 }, { size: -3.25 }];
  const predicted = async (model: string, instances: readonly unknown[]): Promise<Answer[]> => {
    const { body } = await ask(models.url, fixture.token, `/v1/models/${model}:predict`, { instances }) as { body: { predictions: (Answer | number)[] } };
    return body.predictions.map((one) => (typeof one === 'number' ? { value: one } : one));
  };
  const files = (some: readonly Buffer[]) => some.map((file) => ({ b64: file.toString('base64') }));
  return { pictures, photos, table, prices, answers: { pictures: await predicted(models.pictures, files(pictures)), photos: await predicted(models.pictures, files(photos)), table: await predicted(models.table, table), prices: await predicted(models.prices, prices) } };
}

/** The largest distance of two lists of answers: of probabilities, or of values by their own size; infinite where a class or a row differs. */
export function distanceOf(found: readonly Answer[], wanted: readonly Answer[]): number {
  if (found.length !== wanted.length || wanted.length === 0) return Infinity;
  return Math.max(...wanted.map((one, at) => {
    const other = found[at];
    if (!other) return Infinity;
    if ('value' in one) return 'value' in other ? Math.abs(one.value - other.value) / Math.max(1, Math.abs(one.value)) : Infinity;
    if ('value' in other || other.class !== one.class) return Infinity;
    return Math.max(...one.probabilities.map((value, index) => Math.abs(value - (other.probabilities[index] ?? NaN))));
  }));
}

export const textOf = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
