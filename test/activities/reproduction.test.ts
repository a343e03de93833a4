import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReproduceRecordActivities } from '../../activities/reproduce/index.js';
import { addModel, addRun, versionOf } from '../stores/samples.js';
import { createDataStack, type DataStack } from './support/data.js';

let stack: DataStack;
beforeAll(async () => { stack = await createDataStack(); });
afterAll(() => stack.close());

test('a reproduction that could not be done keeps its reason, and no checkpoints', async () => {
  const { stores, artifacts } = stack;
  const model = await addModel(stores);
  const { version } = await stores.versions.register(versionOf(model, await addRun(stores, model)));
  const record = createReproduceRecordActivities(stack.deps);
  await record.planReproduction({ model, version, id: 'again-1', by: 'ada', tolerance: null });
  for (const run of ['reproduction-again-1', 'reproduction-again-10']) await artifacts.putAt(`runs/${run}/1/checkpoints/3.bin`, Buffer.from('weights'));

  const error = { code: 'training/crashed', message: 'killed', next: 'look' };
  for (let times = 0; times < 2; times += 1) await record.failReproduction({ id: 'again-1', error });
  expect(await stores.reproductions.get('again-1')).toMatchObject({ status: 'failed', error });
  expect(await artifacts.list('runs/')).toEqual(['runs/reproduction-again-10/1/checkpoints/3.bin']);
});
