import { join } from 'node:path';
import { layers } from '../../definition/define.js';
import type { Column } from '../../definition/columns.js';
import { ModelDefinition } from '../../definition/model.js';
import type { CellRow } from '../../domain/cells.js';
import { evaluateInChild } from '../../runtime/evaluate/evaluate.js';
import { trainInChild } from '../../runtime/train/train.js';
import { tableDefinition } from '../runtime/support/definitions.js';
import { writeSnapshot, type Row } from '../runtime/support/snapshot.js';
import { tfjsNode, trainOnce, type Fixture, type Place, type Trained } from './support.js';

/** Columns of every type; `age` may be missing. */
export const COLUMNS: Column[] = [
  { name: 'age', type: 'number', nullable: true }, { name: 'city', type: 'text', nullable: false },
  { name: 'alone', type: 'boolean', nullable: false }, { name: 'booked', type: 'time', nullable: false },
];
export const passenger = { age: 42, city: 'Wien', alone: true, booked: '2026-01-31T08:00:00.000Z' };

const cellsOf = (index: number): CellRow => [index % 5 === 0 ? null : 20 + (index % 40), ['Wien', 'Graz', 'Linz'][index % 3] ?? '', index % 2 === 0, `2026-01-${String(1 + (index % 28)).padStart(2, '0')}T08:00:00.000Z`];
const rowsOf = (values: (index: number) => CellRow, label: (index: number) => string | number): Row[] =>
  Array.from({ length: 60 }, (_, index) => ({ key: `k${100 + index}`, split: index % 4 === 3 ? 'test' : 'train', label: label(index), values: values(index) }));

/** A network over columns of every type that says no or yes, trained in a moment. */
export const trainTable = ({ stack }: Fixture): Promise<Trained> => trainOnce('table', stack, async (folder) => {
  const snapshot = await writeSnapshot(join(folder, 'table'), rowsOf(cellsOf, (index) => (index % 2 ? 'yes' : 'no')), { classes: ['no', 'yes'], columns: COLUMNS, shards: 1 });
  return train(tableDefinition(COLUMNS, { training: { epochs: 1 } }), snapshot, join(folder, 'table-attempt'));
});

/** Of two columns that may be missing, and were not in any row of training; `city` is a category of which some are too rare for an input of their own. */
export const completeDefinition = tableDefinition([{ name: 'city', type: 'text', nullable: true }, { name: 'age', type: 'number', nullable: true }], { training: { epochs: 1 }, features: [{ kind: 'category', column: 'city', minimumFrequency: 2 }] });

export const trainComplete = ({ stack }: Fixture): Promise<Trained> => trainOnce('complete', stack, async (folder) => {
  const rows = rowsOf((index) => [index === 0 ? 'Melk' : ['Wien', 'Graz'][index % 2] ?? '', 20 + index], (index) => (index % 2 ? 'yes' : 'no'));
  const { data } = completeDefinition;
  const snapshot = await writeSnapshot(join(folder, 'complete'), rows, { classes: ['no', 'yes'], columns: data.kind === 'table' ? data.columns : [], shards: 1 });
  return train(completeDefinition, snapshot, join(folder, 'complete-attempt'));
});

export const priceDefinition = ModelDefinition.parse({
  schema: 1, name: 'prices', owner: { name: 'Prices', email: 'prices@example.org' }, purpose: 'a test',
  data: { kind: 'table', columns: ['size'], target: { task: 'regression', name: 'price' }, sources: [{ kind: 'parquet', location: 'rows', path: '*.parquet', key: 'id', split: 'train' }] },
  network: { layers: [layers.dense({ units: 1 })] },
  training: { optimizer: { kind: 'adam', learningRate: 0.02 }, epochs: 1, batchSize: 32, seed: 3, threads: 1 },
  evaluation: { gates: [{ kind: 'at-most', name: 'error', metric: 'mae', threshold: 1000 }] },
});

/** One that gives a number. */
export const trainNumber = ({ stack }: Fixture): Promise<Trained> => trainOnce('number', stack, async (folder) => {
  const snapshot = await writeSnapshot(join(folder, 'prices'), rowsOf((index) => [50 + index], (index) => 3 * index), { target: { task: 'regression', name: 'price' }, columns: ['size'], shards: 1 });
  return train(priceDefinition, snapshot, join(folder, 'prices-attempt'));
});

async function train(definition: ModelDefinition, snapshot: Trained['snapshot'], attemptDirectory: string): Promise<Trained> {
  const { modelDirectory } = await trainInChild({ definition, snapshot, bundleCode: null, attemptDirectory, resumeFrom: null, mode: 'full', tfjsNode });
  return { directory: modelDirectory, snapshot, evaluated: await evaluateInChild({ modelDirectory, snapshot, tfjsNode }) };
}

export interface ServedModels { readonly url: string; readonly environment: string; readonly pictures: string; readonly table: string; readonly prices: string }

export interface Served { readonly fixture: Fixture; readonly models: ServedModels }

export type RoutedModels = Omit<ServedModels, 'url'>;

/** An environment with a model of each kind: pictures, a table of columns of every type, and one that gives a number. */
export async function routeModels(fixture: Fixture): Promise<RoutedModels> {
  const [pictures, table, prices] = await Promise.all([fixture.place(), fixture.place(), fixture.place()]);
  const { environment } = pictures;
  const route = async ({ model }: Place, trained: Trained) => fixture.route({ model, environment }, await fixture.addVersion(model, { trained }));
  await Promise.all([route(pictures, fixture.trained), route(table, await trainTable(fixture)), route(prices, await trainNumber(fixture))]);
  return { environment, pictures: pictures.model, table: table.model, prices: prices.model };
}

/** One server with a model of each kind. */
export async function serveModels(fixture: Fixture, options: Parameters<Fixture['serve']>[1] = {}): Promise<ServedModels> {
  const models = await routeModels(fixture);
  const { url } = await fixture.serve(models.environment, options);
  return { url, ...models };
}
