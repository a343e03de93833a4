import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../infra/stack/package-root.js';

export type Kind = 'images' | 'table';

const EXAMPLE = 'car-truck';
const IGNORED = 'node_modules/\n';

/** The files of a starter repository by name: the example under another name, or its counterpart for tables. */
export async function starterFiles(name: string, kind: Kind): Promise<Record<string, string>> {
  const example = async (file: string) => (await readFile(join(packageRoot(), 'examples', EXAMPLE, file), 'utf8')).replaceAll(EXAMPLE, name);
  const shared = { 'package.json': packageJson(name), '.gitignore': IGNORED };
  if (kind === 'images') return { ...shared, 'README.md': await example('README.md'), [`${name}.model.ts`]: await example(`${EXAMPLE}.model.ts`), [`${name}.test.ts`]: await example(`${EXAMPLE}.test.ts`) };
  return { ...shared, 'README.md': tableReadme(name), [`${name}.model.ts`]: tableModel(name), [`${name}.test.ts`]: tableTest(name) };
}

function packageJson(name: string): string {
  return `${JSON.stringify({ name, version: '1.0.0', private: true, type: 'module', dependencies: { perennial: '^0.1.0' } }, null, 2)}\n`;
}

function tableModel(name: string): string {
  return `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1,
  name: '${name}',
  owner: { name: 'Your team', email: 'team@example.com' },
  purpose: 'Say in one sentence what this model decides.',

  data: {
    kind: 'table',
    columns: ['first', 'second'],
    target: { name: 'label', classes: ['no', 'yes'] },
    sources: [{ kind: 'parquet', location: 'rows', path: '*.parquet', key: 'id', split: { byKey: { train: 0.7, validation: 0.1, test: 0.2 } } }],
  },

  network: { layers: [layers.dense({ units: 32, activation: 'relu' }), layers.dense({ units: 16, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },

  training: { optimizer: { kind: 'adam', learningRate: 1e-3 }, epochs: 20, batchSize: 64, seed: 7 },

  evaluation: {
    gates: [
      { kind: 'at-least', name: 'accuracy', metric: 'accuracy', threshold: 0.8 },
      { kind: 'not-worse-than-live', name: 'not-worse', margin: 0.02 },
    ],
  },

  monitoring: { every: '1d', minimumLabels: 1000, thresholds: [{ name: 'accuracy-lost', metric: 'accuracy', below: 0.7, action: 'retrain' }] },

  alerts: { to: ['team@example.com'] },
});
`;
}

function tableTest(name: string): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import model from './${name}.model.js';

test('the network ends in one probability per class', () => {
  assert.ok('layers' in model.network);
  assert.equal(model.network.layers.at(-1)?.config?.['units'], model.data.target.classes.length);
});
`;
}

function tableReadme(name: string): string {
  return `# ${name}

\`${name}.model.ts\` describes the model: its columns, network, gates and monitoring. \`${name}.test.ts\` holds the team's own tests.

Its rows are Parquet files below the location \`rows\`, with a column \`id\`, the numeric columns and \`label\`:

\`\`\`sh
perennial location set rows /data/rows
perennial try
git init && git add . && git commit -m "First definition"
perennial repository add ${name} .
\`\`\`

From then on every commit is trained, evaluated, tried in the test environment and put before an approver.
`;
}
