import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Runs } from '../../../cli/views.js';
import type { ModelFormat } from '../../../contract/imported.js';
import { probabilitiesOf, writeGraphModel, writeLayersModel, writeSavedModel } from '../../runtime/support/networks.js';
import { commandLine } from '../support/command-line.js';
import { addPerson } from '../support/decisions.js';
import { approve } from '../support/example-team.js';
import { contextOf, type RunningHome } from '../support/running-home.js';
import { createCaller } from '../support/table-caller.js';
import { createTeam, settled, untilWaiting } from '../support/team.js';

/** The first run of an import that is not known yet. */
const runOfImport = (home: RunningHome, model: string, known: readonly string[] = []): Promise<string> => home.world.until('a run of the import', async () => (
  (await contextOf(home).api.get(Runs, '/runs', { model })).runs.find(({ id, reason }) => reason.kind === 'import' && !known.includes(id))?.id));

/** What a training made, taken out of its package and imported as if it had been trained elsewhere. `model`: one with a version 1. */
export function testImport(home: () => RunningHome, model: string): void {
  test('an imported network is evaluated, tested and laid before approvers as a trained one; it is told to be imported', { timeout: 400_000 }, async () => {
    const { api } = contextOf(home());
    const folder = join(home().home, 'elsewhere');
    await mkdir(folder, { recursive: true });
    for (const path of ['model.json', 'weights.bin']) await writeFile(join(folder, path), await api.bytes(`/models/${model}/versions/1/package/file?path=${path}`));
    await home().world.perennial('import', folder, '--as', model, '--reason', 'trained by the other team');
    const run = await runOfImport(home(), model);
    await untilWaiting(home(), run);

    const { stores } = home();
    const [trained, imported] = [await stores.versions.get(model, 1), await stores.versions.get(model, 2)];
    expect(imported).toMatchObject({ run, status: 'tested', snapshot: trained?.snapshot, hyperparameters: { imported: 'tfjs-layers' }, metrics: trained?.metrics });
    expect(imported?.trainingDigest).not.toBe(trained?.trainingDigest);
    const steps = (await stores.runs.events(run)).filter(({ kind }) => kind === 'step');
    expect(steps.map(({ step }) => step)).not.toContain('quick-pass');
    expect(steps.find(({ step }) => step === 'train')?.message).toBe('imported (tfjs-layers), not trained');
    expect(await commandLine(home(), 'reproduce', `${model}@2`)).toMatchObject({ code: 1, err: expect.stringContaining(`${model}@2 was imported (tfjs-layers), not trained here`) as string });
    expect((await commandLine(home(), 'lineage', `${model}@2`)).out).toContain('imported (tfjs-layers) by admin');

    await writeFile(join(folder, 'weights.bin'), new Uint8Array(8));
    await home().world.perennial('import', folder, '--as', model);
    expect((await settled(home(), await runOfImport(home(), model, [run]))).run).toMatchObject({ status: 'failed', error: { code: 'import/unreadable' } });
  });
}

const MODEL = 'elsewhere';

const DEFINITION = `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1, name: '${MODEL}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'Tells what a network from elsewhere tells.',
  data: {
    kind: 'table', columns: [{ name: 'a', type: 'number' }, { name: 'b', type: 'number' }], features: [{ kind: 'number', column: 'a', scale: 'none' }, { kind: 'number', column: 'b', scale: 'none' }],
    target: { name: 'said', classes: ['no', 'yes'] }, sources: [{ kind: 'ndjson', location: '${MODEL}', path: 'rows.jsonl', key: 'id', split: { byKey: { train: 0.7, test: 0.3 } } }],
  },
  network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] },
  compression: { variants: ['uint8', { kind: 'prune', name: 'sparse', share: 0.5, epochs: 0 }, { kind: 'distil', name: 'student', network: { layers: [layers.dense({ units: 2, activation: 'softmax' })] }, epochs: 1 }], allow: { metric: 'recall', lost: 0.9 } },
  training: { optimizer: { kind: 'sgd', learningRate: 1e-3 }, epochs: 1, batchSize: 16, seed: 1, threads: 1, quickPass: { rows: 16 } },
  evaluation: { gates: [{ kind: 'at-least', name: 'any', metric: 'accuracy', threshold: 0.01, minimumRows: 10 }] },
  testEnvironment: { rows: 10, p99Ms: 60_000, load: { seconds: 1, connections: 2 } },
});
`;

/** Networks of the forms that TensorFlow itself writes, from their files to the answers of the server. */
export function testImportedForms(home: () => RunningHome): void {
  test('a SavedModel, a graph model and layers are compressed as far as can be, evaluated, approved and released, and answer as they were given', { timeout: 400_000 }, async () => {
    const { world } = home();
    const folder = join(home().home, MODEL);
    await mkdir(folder, { recursive: true });
    const asked = Array.from({ length: 60 }, (_, index) => ({ a: (index % 7) / 2 - 1.5, b: (index % 5) / 2 - 1 }));
    const answers = asked.map(({ a, b }) => probabilitiesOf([a, b]));
    await writeFile(join(folder, 'rows.jsonl'), asked.map((row, index) => JSON.stringify({ id: `row-${index}`, ...row, said: (answers[index]?.[0] ?? 0) > 0.5 ? 'no' : 'yes' })).join('\n'));
    await world.perennial('location', 'set', MODEL, folder);
    await addPerson(home(), 'lin', { approver: true });
    const team = await createTeam(home(), MODEL);
    const commit = await team.commit({ 'elsewhere.model.ts': DEFINITION });
    await team.tell(commit);
    await untilWaiting(home(), await team.run(commit));

    const known: string[] = [];
    const given: [ModelFormat, (folder: string) => string, string[]][] = [['saved-model', writeSavedModel, ['uint8', 'sparse']], ['tfjs-graph', writeGraphModel, ['sparse']], ['tfjs-layers', writeLayersModel, []]];
    for (const [format, write, impossible] of given) {
      const told = await commandLine(home(), 'import', write(join(home().home, `given-${format}`)), '--as', MODEL);
      expect([...told.err.matchAll(/the variant (\S+), which will not be made: a|the variant (\S+), which will not be made: the weights of a SavedModel/g)].map(([, one, other]) => one ?? other)).toEqual(impossible);
      const run = await runOfImport(home(), MODEL, known);
      known.push(run);
      const { evaluations } = await untilWaiting(home(), run);
      expect(evaluations.offline?.overall).toMatchObject({ accuracy: 1 });
      expect(evaluations.compression).toMatchObject({ metric: 'recall', chosen: 'full', variants: ['full', 'uint8', 'sparse', 'student'].map((name) => (impossible.includes(name) ? { name, bytes: null, verdict: 'fail', reason: expect.stringContaining('SavedModel|graph model'.split('|')[Number(format === 'tfjs-graph')] ?? '') as string } : { name, bytes: expect.any(Number) as number })) });
      await approve(home(), run, 'lin');

      const version = known.length + 1;
      expect(await home().stores.versions.get(MODEL, version)).toMatchObject({ run, status: 'live', hyperparameters: { imported: format, compression: 'full' } });
      const caller = await createCaller(home(), MODEL);
      const given = (await caller.ask([{ name: 'a', datatype: 'FP64' }, { name: 'b', datatype: 'FP64' }], asked)).output('probabilities').map(Number);
      expect(given).toEqual(answers.flat().map((value) => expect.closeTo(value, 5) as number));
    }
  });
}
