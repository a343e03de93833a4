import { defineModel, expect, layers } from 'perennial';

export default defineModel({
  schema: 1,
  name: 'housing',
  owner: { name: 'Districts team', email: 'districts@example.com' },
  purpose: 'Estimates the median income of a Californian district from its houses and where it lies, in 10,000 dollars a year.',

  data: {
    kind: 'table',
    columns: ['HouseAge', 'AveRooms', 'AveBedrms', 'Population', 'AveOccup', 'Latitude', 'Longitude'],
    // A few districts have a thousand people to a house: in buckets, they are no more than crowded.
    features: [
      { kind: 'number', column: 'HouseAge' },
      { kind: 'number', column: 'Latitude' },
      { kind: 'number', column: 'Longitude' },
      { kind: 'bucket', column: 'AveRooms', quantiles: 20 },
      { kind: 'bucket', column: 'AveBedrms', quantiles: 10 },
      { kind: 'bucket', column: 'Population', quantiles: 10 },
      { kind: 'bucket', column: 'AveOccup', quantiles: 20 },
    ],
    target: { task: 'regression', name: 'MedInc' },
    sources: [
      {
        kind: 'csv', location: 'tables', path: 'california_housing_reference.csv', key: 'id', split: { byKey: { train: 0.8, test: 0.2 } }, attributes: { period: 'first' },
        terms: 'census of the United States, in the public domain', collected: { from: '1990-04-01', to: '1990-04-01' },
      },
      // What production was asked later, as soon as the census has said what it was.
      { kind: 'labelled-predictions', environment: 'production', attributes: { period: 'later' }, split: { byKey: { train: 0.7, test: 0.3 } } },
    ],
    // Two districts may be alike in all columns and differ in income: both are true.
    checks: { conflictingLabels: 'warn' },
    expectations: [
      expect.between('Latitude', { min: 32, max: 42.5 }),
      expect.between('Longitude', { min: -125, max: -114 }),
      expect.between('MedInc', { min: 0, max: 16 }),
    ],
  },

  network: {
    layers: [
      layers.dense({ units: 48, activation: 'relu' }),
      layers.dense({ units: 24, activation: 'relu' }),
      layers.dense({ units: 1 }),
    ],
  },

  training: {
    optimizer: { kind: 'adam', learningRate: 5e-3 },
    // A handful of districts are rich beyond the scale: they must not decide what the others get.
    loss: { kind: 'huber', delta: 1 },
    schedule: 'cosine',
    epochs: 30,
    batchSize: 64,
    seed: 7,
  },

  evaluation: {
    slices: [
      { name: 'first', where: { period: 'first' } },
      { name: 'later', where: { period: 'later' } },
    ],
    gates: [
      { kind: 'at-most', name: 'error', metric: 'mae', slice: 'first', threshold: 0.95 },
      { kind: 'at-least', name: 'explained', metric: 'r2', slice: 'first', threshold: 0.5 },
      // Inconclusive, and no hindrance, until there are labels of later districts.
      { kind: 'at-most', name: 'error-later', metric: 'mae', slice: 'later', threshold: 1.1 },
      { kind: 'not-worse-than-live', name: 'not-worse', metric: 'mae', margin: 0.1 },
    ],
  },

  monitoring: {
    every: '1d',
    minimumLabels: 1000,
    thresholds: [{ name: 'error-grown', metric: 'mae', above: 1.1, action: 'retrain' }],
  },

  alerts: { to: ['districts@example.com'] },
});
