import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { ModelDefinition } from '../../definition/model.js';
import { preparePictures } from '../../infra/demo/pictures.js';
import { loadNativeParts } from '../../infra/native.js';
import { packageRoot } from '../../infra/stack/package-root.js';
import { evaluationRows } from '../../runtime/data/evaluation-rows.js';
import { isPixels } from '../../runtime/preprocess.js';
import { readDefinitions } from '../../runtime/definition/read.js';
import { createTryDeps } from '../../workers/try/deps.js';
import { buildSample } from '../../workers/try/snapshot.js';
import type { BenchContext } from '../benchmark.js';

/** As many training pictures as the demo's first run has. */
const ROWS = 5_200;
/** Few: training does not read them, but a snapshot without test rows is refused. */
const TEST_ROWS = 40;

/** What both sides train on: the same pixels, as a snapshot and decoded. */
export interface Material {
  readonly definition: ModelDefinition;
  readonly snapshot: LocalSnapshot;
  readonly rows: number;
  /** Raw uint8 `[rows, height, width, channels]`, and one byte per row with its class index. */
  readonly pixels: string;
  readonly labels: string;
}

/** The car-truck example on its real pictures, for `epochs` epochs; everything it writes is in `folder`. */
export async function prepareMaterial(folder: string, epochs: number, { signal, say }: BenchContext): Promise<Material> {
  const [read] = await readDefinitions({ checkout: join(packageRoot(), 'examples', 'car-truck'), file: 'car-truck.model.ts', signal });
  if (!read) throw new Error('examples/car-truck holds no definition');
  const { data, training } = read.definition;
  const definition: ModelDefinition = {
    ...read.definition,
    data: { ...data, sources: data.sources.filter((source) => source.kind !== 'labelled-predictions') },
    training: { ...training, epochs, limits: { ...training.limits, minutes: 5 } },
  };
  const pictures = join(folder, 'pictures');
  say(`preparing ${ROWS} pictures`);
  await preparePictures({ cifarDir: loadNativeParts().cifar10, into: pictures, counts: { train: ROWS, test: TEST_ROWS, day: 2, night: 2 } });
  const parts = createTryDeps(new Map([['pictures', pathToFileURL(pictures).href]]), folder);
  try {
    const { snapshot } = await buildSample({ deps: parts.deps, definition, code: read.bundle.code, rows: 2 * ROWS, folder, signal });
    const [pixels, labels] = [join(folder, 'pixels.bin'), join(folder, 'labels.bin')];
    const chunks: { raw: Uint8Array; actual: Uint8Array }[] = [];
    for await (const { raw, actual } of evaluationRows(snapshot, 'train')) if (isPixels(raw)) chunks.push({ raw: new Uint8Array(raw), actual: Uint8Array.from(actual) });
    await writeFile(pixels, Buffer.concat(chunks.map(({ raw }) => raw)));
    await writeFile(labels, Buffer.concat(chunks.map(({ actual }) => actual)));
    return { definition, snapshot, pixels, labels, rows: chunks.reduce((sum, { actual }) => sum + actual.length, 0) };
  } finally {
    await parts.close();
  }
}
