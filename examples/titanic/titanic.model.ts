import { defineModel, expect, layers } from 'perennial';

export default defineModel({
  schema: 1,
  name: 'titanic',
  owner: { name: 'Passengers team', email: 'passengers@example.com' },
  purpose: 'Tells who survived the sinking of the Titanic (1) from who did not (0), from what the passenger list said before.',

  data: {
    kind: 'table',
    // The list also has a lifeboat's number and a body's: they are known afterwards only, and would give the answer away.
    columns: [
      'Pclass',
      { name: 'Sex', type: 'text' },
      { name: 'Age', type: 'number', nullable: true },
      'SibSp',
      'Parch',
      { name: 'Fare', type: 'number', nullable: true },
      { name: 'Embarked', type: 'text', nullable: true },
    ],
    features: [
      { kind: 'category', column: 'Pclass' },
      { kind: 'category', column: 'Sex', unknown: 'refuse' },
      // Who drowned was less often asked for an age: that it is missing is news of its own.
      { kind: 'number', column: 'Age', impute: { with: 'median' } },
      { kind: 'bucket', column: 'Fare', quantiles: 5 },
      { kind: 'category', column: 'Embarked', impute: { with: 'most-frequent', indicator: false }, unknown: 'zeros' },
    ],
    target: { name: 'Survived', classes: ['0', '1'] },
    sources: [
      { kind: 'csv', location: 'tables', path: 'titanic_reference.csv', key: 'PassengerId', split: { byKey: { train: 0.75, test: 0.25 } } },
    ],
    expectations: [
      expect.inSet('Sex', ['female', 'male']),
      expect.inSet('Pclass', [1, 2, 3]),
      expect.between('Age', { min: 0, max: 100 }),
    ],
  },

  network: {
    layers: [
      layers.dense({ units: 16, activation: 'relu' }),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 2, activation: 'softmax' }),
    ],
  },

  training: {
    optimizer: { kind: 'adam', learningRate: 5e-3 },
    schedule: 'cosine',
    epochs: 40,
    batchSize: 32,
    seed: 7,
  },

  evaluation: {
    // More died than lived: accuracy alone would praise who never finds a survivor.
    metrics: ['f1', 'recall', 'precision', 'accuracy'],
    gates: [
      { kind: 'at-least', name: 'right', metric: 'accuracy', threshold: 0.72 },
      { kind: 'at-least', name: 'survivors-found', metric: 'recall', class: '1', threshold: 0.5, minimumRows: 50 },
      // On some 220 passengers two trainings differ by a few of them.
      { kind: 'not-worse-than-live', name: 'not-worse', margin: 0.05 },
    ],
  },

  serving: {
    // Who is asked about has to be like those it learned from.
    guardrails: [{ kind: 'expectation', name: 'as-expected', on: 'reject' }],
  },

  monitoring: {
    every: '1d',
    minimumLabels: 400,
    thresholds: [{ name: 'accuracy-lost', metric: 'accuracy', below: 0.65, action: 'retrain' }],
  },

  alerts: { to: ['passengers@example.com'] },
});
