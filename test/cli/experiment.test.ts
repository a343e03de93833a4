import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExperimentPlan, ExperimentView } from '../../contract/experiment.js';
import { ModelDefinition } from '../../definition/model.js';
import { trialsOf } from '../../domain/experiment.js';
import { startTestGateway, type TestGateway } from '../gateway/support.js';
import { addModel, commit, digest, ref } from '../stores/samples.js';
import { createCliHome, type CliHome } from './support.js';

let gateway: TestGateway;
let cli: CliHome;
const ID = 'search-of-rates';
const plan = ExperimentPlan.parse({ vary: [{ path: 'training.optimizer.learningRate', values: [0.01, 0.1, 1e30] }], folds: 2, budget: { trials: 6 } });

/** Of three rates the second is best, and the last has no result. */
beforeAll(async () => {
  gateway = await startTestGateway();
  cli = await createCliHome(gateway.url, await gateway.tokenWith(['scientist']));
  const { stores } = gateway;
  const model = await addModel(stores, 'iris');
  const definition = ModelDefinition.parse({
    schema: 1, name: model, owner: { name: 'Ada', email: 'ada@example.com' }, purpose: 'tells kinds',
    data: { kind: 'table', target: { name: 'kind', classes: ['a', 'b'] }, columns: ['x'], sources: [{ kind: 'csv', location: 'rows', path: 'a.csv', key: 'id', split: 'train' }] },
    network: { layers: [{ className: 'Dense', config: { units: 2 } }] }, training: { optimizer: { kind: 'sgd', learningRate: 0.01 }, epochs: 1, batchSize: 8, seed: 1 },
    evaluation: { gates: [{ kind: 'not-worse-than-live', name: 'not-worse' }] },
  });
  const counts = { bySplit: { train: 100 }, byClass: {}, byAttribute: {} };
  await stores.snapshots.save({ digest: digest('rows'), model, manifest: ref('manifest'), rows: 100, counts, report: { v: 1, blocked: false, findings: [] }, blocked: false });
  await stores.experiments.create({ id: ID, model, commit: commit('tried'), branch: 'main', by: 'ada', plan });
  await stores.experiments.prepare(ID, { definition, networkBundle: null, snapshot: digest('rows'), metric: 'accuracy' });
  const accuracy = [0.7, 0.8, 0.8, 0.9];
  for (const trial of trialsOf(plan)) {
    await stores.experiments.beginTrial(ID, trial);
    const at = { experiment: ID, trial: trial.trial };
    const figure = accuracy[trial.trial - 1];
    if (figure !== undefined) await stores.experiments.finishTrial(at, { figures: { n: 50, accuracy: figure }, rows: 50 });
    else await stores.experiments.failTrial(at, { code: 'training/not-finite', message: 'the loss is not a number', next: 'look' });
  }
});
afterAll(async () => {
  await cli.close();
  await gateway.close();
});

test('one that runs says what it is at', async () => {
  const { stores } = gateway;
  await stores.experiments.create({ id: 'running', model: 'iris', commit: commit('runs'), branch: 'main', by: 'ada', plan });
  expect((await cli.run(['experiment', 'show', 'running'])).out).toContain('now: reading the commit');
  await stores.experiments.beginTrial('running', trialsOf(plan)[1] ?? { trial: 2, combination: 1, parameters: {}, fold: 1 });
  await stores.experiments.setProgress({ experiment: 'running', trial: 2 }, { epoch: 3, epochs: 9, loss: 0.25 });
  const { code, out } = await cli.run(['experiment', 'show', 'running']);
  expect([code, out]).toEqual([0, expect.stringContaining('now: 2/6  learningRate=0.01  fold 2  epoch 3/9  loss 0.2500')]);
});

test('combinations are shown best first with mean and deviation, a failure once, and what to write to take the best', async () => {
  await gateway.stores.experiments.end(ID, { status: 'done' });
  const { code, out } = await cli.run(['experiment', 'show', ID]);
  expect(code).toBe(0);
  expect(out).toContain(`iris at ${commit('tried').slice(0, 12)}: done, 4 of 6 trainings done; nothing was registered`);
  expect(out.split('\n').filter((line) => /^(LEARNINGRATE|0\.|1e)/.test(line)).map((line) => line.replace(/ +\d:\d\d$/, ''))).toEqual([
    'LEARNINGRATE  MEAN ACCURACY  STANDARD DEVIATION  TRAININGS         TIME', '0.1           0.8500         0.0707              2 of 2', '0.01          0.7500         0.0707              2 of 2', '1e+30         -              -                   0 of 2, 2 failed',
  ]);
  expect(out.match(/2 failed, the first with learningRate=1e\+30 {2}fold 1: the loss is not a number \(training\/not-finite\)/g)).toHaveLength(1);
  expect(out).toContain('to take it, write into the definition:\n  training.optimizer.learningRate: 0.1\n');
});

test('as JSON, as a picture with a mark for each mean and a dot for each fold, and in the list', async () => {
  const { out } = await cli.run(['experiment', 'show', ID, '--json', '--picture', 'search.svg']);
  const view = ExperimentView.parse(JSON.parse(out));
  expect([view.best, view.standings.map(({ combination, complete }) => [combination, complete])]).toEqual([2, [[2, true], [1, true], [3, false]]]);
  const picture = await readFile(join(cli.folder, 'search.svg'), 'utf8');
  expect([picture.match(/<circle class="fold"/g)?.length, picture.match(/<path class="mean( best)?"/g)?.length]).toEqual([4, 2]);
  expect((await cli.run(['experiment', 'list', 'iris'])).out).toMatch(new RegExp(`${ID} +done +ada +${commit('tried').slice(0, 12)} +2 +learningRate`));
});

test('one that is not there, and a working tree that is no repository, are told with what to do', async () => {
  const unknown = await cli.run(['experiment', 'show', 'never-was']);
  expect([unknown.code, unknown.err]).toEqual([1, 'failed: there is no experiment never-was (experiment/unknown)\nnext: See the model\'s experiments with `perennial experiment list MODEL`.\n']);
  const nowhere = await cli.run(['experiment', 'run', 'iris', '--folds', '5']);
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('is in no git repository (experiment/no-repository)')]);
  expect((await cli.run(['experiment', 'cancel', ID])).out).toBe(`${ID} had ended already\n`);
});
