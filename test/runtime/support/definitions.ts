import { layers } from '../../../definition/define.js';
import type { Column } from '../../../definition/columns.js';
import { Feature } from '../../../definition/features.js';
import { ModelDefinition } from '../../../definition/model.js';
import type { ModelDefinitionInput } from '../../../definition/model.js';

type Parts = Partial<Pick<ModelDefinitionInput, 'data' | 'network'>> & { training?: Partial<ModelDefinitionInput['training']> };

const SOURCES = [{ kind: 'image-folder' as const, location: 'pictures', split: 'train' as const }];

/** A small definition over pictures of cars and trucks; `parts` replace what a test is about. */
export function pictureDefinition({ data, network, training }: Parts = {}): ModelDefinition {
  return ModelDefinition.parse({
    schema: 1, name: 'car-truck', owner: { name: 'Vehicles', email: 'vehicles@example.org' }, purpose: 'tells cars from trucks',
    data: data ?? { kind: 'images', image: { height: 32, width: 32 }, target: { classes: ['car', 'truck'] }, sources: SOURCES },
    network: network ?? { layers: [layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }), layers.maxPooling2d({ poolSize: 4 }), layers.flatten(), layers.dropout({ rate: 0.3 }), layers.dense({ units: 2, activation: 'softmax' })] },
    training: { optimizer: { kind: 'adam', learningRate: 0.002 }, epochs: 2, batchSize: 32, seed: 7, threads: 1, augment: ['flip-horizontal'], ...training },
    evaluation: { gates: [{ kind: 'at-least', name: 'accuracy', metric: 'accuracy', threshold: 0.5 }] },
  } satisfies ModelDefinitionInput);
}

/** A small definition over a table with the given columns. */
export function tableDefinition(columns: readonly Column[], { network, training, features }: Parts & { features?: readonly unknown[] } = {}): ModelDefinition {
  return pictureDefinition({
    data: { kind: 'table', columns: [...columns], ...(features ? { features: features.map((feature) => Feature.parse(feature)) } : {}), target: { classes: ['no', 'yes'] }, sources: [{ kind: 'parquet', location: 'table', path: '*.parquet', key: 'key', split: 'train' }] },
    network: network ?? { layers: [layers.dense({ units: 8, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },
    training: { augment: [], ...training },
  });
}
