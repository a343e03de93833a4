import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { commandLine } from '../support/command-line.js';
import { addPerson, decide, evidenceOf, signed } from '../support/decisions.js';
import type { RunningHome } from '../support/running-home.js';
import { createTeam, settled, untilWaiting } from '../support/team.js';

const MODEL = 'renewals';
const Predicted = z.object({ outputs: z.array(z.object({ name: z.string(), data: z.array(z.unknown()) })) });

const DEFINITION = `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1, name: '${MODEL}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'Tells contracts that are renewed.',
  data: {
    kind: 'table',
    columns: [{ name: 'age', type: 'number', nullable: true }, { name: 'plan', type: 'text' }, { name: 'note', type: 'text', nullable: true }, { name: 'paperless', type: 'boolean' }, { name: 'signed', type: 'time', nullable: true }],
    features: [{ kind: 'category', column: 'plan', unknown: 'refuse' }, { kind: 'words', column: 'note', buckets: 8 }, { kind: 'cross', of: [{ column: 'plan' }, { column: 'age', edges: [40] }], buckets: 8 }],
    target: { name: 'renewed', classes: ['no', 'yes'] },
    sources: [{ kind: 'ndjson', location: 'contracts', path: 'rows.jsonl', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
  },
  network: { layers: [layers.dense({ units: 8, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },
  training: { optimizer: { kind: 'adam', learningRate: 0.02 }, epochs: 15, batchSize: 16, seed: 1, threads: 1, quickPass: { rows: 64 } },
  evaluation: { gates: [{ kind: 'at-least', name: 'learned', metric: 'accuracy', threshold: 0.9, minimumRows: 10 }] },
  testEnvironment: { rows: 10, p99Ms: 60_000, load: { seconds: 1, connections: 2 } },
});
`;

/** Whether a contract is renewed follows from its plan and whether it is paperless. */
function rows(): string {
  const line = (index: number) => JSON.stringify({
    id: `contract-${index}`, age: index % 7 === 0 ? null : 20 + ((index * 7) % 50), plan: ['basic', 'gold', 'silver'][index % 3], note: index % 5 === 0 ? null : 'called twice', paperless: index % 2 === 0,
    signed: index % 11 === 0 ? null : new Date(Date.UTC(2024, index % 24, 3, 9, index % 60)).toISOString(), renewed: index % 3 === 1 || index % 2 === 0 ? 'yes' : 'no',
  });
  return Array.from({ length: 300 }, (_, index) => line(index)).join('\n');
}

/** A table of texts, booleans, times and missing values, from a commit to a prediction. */
export function testTable(home: () => RunningHome): void {
  test('a table with texts, booleans, times and missing values is learned, released and asked by raw columns', { timeout: 400_000 }, async () => {
    const { world } = home();
    const folder = join(home().home, 'contracts');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'rows.jsonl'), rows());
    await world.perennial('location', 'set', 'contracts', folder);
    await addPerson(home(), 'grace', { approver: true });
    const team = await createTeam(home(), MODEL);
    const commit = await team.commit({ 'renewals.model.ts': DEFINITION });
    await team.tell(commit);
    const { run: { id: run } } = await untilWaiting(home(), await team.run(commit));
    expect(await decide(home(), run, await signed(home(), { run, evidence: await evidenceOf(home(), run), approver: 'grace' }))).toBe('accepted');
    expect((await settled(home(), run)).run).toMatchObject({ status: 'released', version: 1 });

    const file = join(folder, 'asked.json');
    await writeFile(file, JSON.stringify([{ age: 44, plan: 'gold', note: 'called', paperless: false, signed: '2025-03-01T10:00:00+01:00' }, { age: null, plan: 'basic', paperless: false, signed: '2024-05-03' }]));
    const { outputs } = Predicted.parse(JSON.parse(await world.perennial('predict', MODEL, '--row', file, '--json')));
    expect(outputs.find(({ name }) => name === 'class')?.data).toEqual(['yes', 'no']);

    await writeFile(file, JSON.stringify({ plan: 'platinum', paperless: true }));
    const refused = await commandLine(home(), 'predict', MODEL, '--row', file);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/"plan", value 0: "platinum" is a category that the model does not know\. It knows: basic, gold, silver/);
  });
}
