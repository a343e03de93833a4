import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1,
  name: 'car-truck',
  owner: { name: 'Vision team', email: 'vision@example.com' },
  purpose: 'Tells cars from trucks on small pictures of traffic.',

  data: {
    kind: 'images',
    image: { height: 32, width: 32, channels: 3 },
    target: { classes: ['car', 'truck'] },
    sources: [
      { kind: 'image-folder', location: 'pictures', path: 'train', split: 'train', attributes: { light: 'day' } },
      // Frozen: every version is judged on the same clear pictures.
      { kind: 'image-folder', location: 'pictures', path: 'test', split: 'test', attributes: { light: 'day' } },
      // What production saw at night, as soon as somebody has said what it was.
      { kind: 'labelled-predictions', environment: 'production', attributes: { light: 'night' }, split: { byKey: { train: 0.72, test: 0.28 } } },
    ],
  },

  network: {
    layers: [
      layers.conv2d({ filters: 24, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 48, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
      layers.flatten(),
      layers.dropout({ rate: 0.4 }),
      layers.dense({ units: 64, activation: 'relu' }),
      layers.dense({ units: 2, activation: 'softmax' }),
    ],
  },

  training: {
    optimizer: { kind: 'adam', learningRate: 1.5e-3 },
    schedule: 'cosine',
    epochs: 14,
    batchSize: 32,
    seed: 7,
    augment: ['flip-horizontal'],
  },

  evaluation: {
    slices: [
      { name: 'day', where: { light: 'day' } },
      { name: 'night', where: { light: 'night' } },
    ],
    gates: [
      { kind: 'at-least', name: 'accuracy-by-day', metric: 'accuracy', slice: 'day', threshold: 0.88 },
      // Inconclusive, and no hindrance, until there are labelled pictures taken at night.
      { kind: 'at-least', name: 'accuracy-by-night', metric: 'accuracy', slice: 'night', threshold: 0.75 },
      // On 1,200 pictures two trainings of the same network differ by a point or two.
      { kind: 'not-worse-than-live', name: 'not-worse', margin: 0.03 },
    ],
  },

  monitoring: {
    every: '1d',
    minimumLabels: 2000,
    thresholds: [{ name: 'accuracy-lost', metric: 'accuracy', below: 0.6, action: 'retrain' }],
  },

  alerts: { to: ['vision@example.com'] },
});
