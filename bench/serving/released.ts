import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createWorld } from '../../cli/demo/world.js';
import { loadConfig } from '../../infra/config.js';
import { preparePictures, SMALL_COUNTS } from '../../infra/demo/pictures.js';
import { loadNativeParts } from '../../infra/native.js';
import { packageRoot } from '../../infra/stack/package-root.js';
import { readStatus } from '../../infra/supervisor/read-status.js';
import { createArtifacts } from '../../stores/artifacts.js';
import { createDatabase } from '../../stores/database.js';
import { createStores } from '../../stores/index.js';
import type { BenchContext } from '../benchmark.js';
import { createPeople, placePictures } from '../loop/people.js';
import { createProduction } from '../loop/production.js';
import { createModelRepository, MODEL } from '../loop/repository.js';
import type { BenchStack } from '../loop/stack.js';
import { takeTurn } from '../loop/turn.js';

/** A version in production, as a caller and as an operator see it. */
export interface Released {
  readonly model: string;
  readonly url: string;
  readonly token: string;
  /** The process that listens. */
  readonly pid: number;
  /** A folder with the files of its package. */
  readonly directory: string;
  /** Where the pictures are, as infra/demo/pictures.ts lays them out. */
  readonly pictures: string;
  /** Predictions of the model on record. */
  readonly logged: () => Promise<number>;
  close(): Promise<void>;
}

/** Brings the car-truck network, hardly trained, through the whole loop into production. */
export async function releaseCarTruck({ home, env }: BenchStack, folder: string, { signal, say }: BenchContext): Promise<Released> {
  const config = loadConfig({ env, cwd: home });
  const world = createWorld({ out: () => undefined, err: () => undefined, isTerminal: false, columns: 120, env, cwd: home, ask: null });
  const url = config.servers['production']?.url ?? '';
  const token = (await readFile(join(config.secretsDir, 'server-token'), 'utf8')).trim();
  const pictures = join(home, 'pictures');
  say(`preparing ${SMALL_COUNTS.train} pictures`);
  await preparePictures({ cifarDir: loadNativeParts().cifar10, into: pictures, small: true });
  await placePictures(world, pathToFileURL(pictures).href);
  const example = await readFile(join(packageRoot(), 'examples', 'car-truck', 'car-truck.model.ts'), 'utf8');
  const repository = await createModelRepository(join(home, 'repository'), () => hardlyTrained(example));
  const people = await createPeople(world, repository.folder);
  const production = createProduction({ url, token });
  say('training, releasing');
  try {
    await takeTurn({ world, people, production, signal, commit: await repository.commit(1) });
  } finally {
    production.close();
  }

  const database = createDatabase(config.databaseUrl, { max: 2, applicationName: 'perennial bench' });
  const stores = createStores(database);
  const artifacts = createArtifacts(config.s3);
  try {
    const version = await stores.versions.get(MODEL, 1);
    const directory = join(folder, 'package');
    await mkdir(directory, { recursive: true });
    for (const file of ['model.json', 'weights.bin']) await writeFile(join(directory, file), await artifacts.getAt(`packages/${version?.packageDigest ?? ''}/${file}`));
    const { status } = await readStatus(home);
    const pid = status?.programs.find(({ name }) => name === 'server-production')?.pid;
    if (pid === undefined) throw new Error('the production server is not run by the supervisor');
    return {
      model: MODEL, url, token, pid, directory, pictures,
      logged: () => stores.predictions.count({ model: MODEL, environment: 'production' }),
      close: () => database.close(),
    };
  } finally {
    artifacts.close();
  }
}

/** The example's network and preprocessing under another name; what it predicts does not matter here. */
function hardlyTrained(example: string): string {
  const edits: readonly (readonly [RegExp, string])[] = [
    [/name: 'car-truck'/, `name: '${MODEL}'`],
    [/epochs: \d+/, 'epochs: 1'],
    [/ {6}\/\/ What production saw[\s\S]*?split: \{ byKey[^\n]*\n/, ''],
    [/slices: \[[\s\S]*?\n {4}\],/, 'slices: [],'],
    [/gates: \[[\s\S]*?\n {4}\],/, 'gates: [{ kind: \'at-least\', name: \'any\', metric: \'accuracy\', threshold: 0 }],'],
    [/ {2}monitoring: \{/, '  testEnvironment: { rows: 50, p99Ms: 5000, load: { seconds: 1, connections: 2 } },\n\n  monitoring: {'],
  ];
  return edits.reduce((text, [from, to]) => {
    if (!from.test(text)) throw new Error(`examples/car-truck no longer contains ${String(from)}`);
    return text.replace(from, to);
  }, example);
}
