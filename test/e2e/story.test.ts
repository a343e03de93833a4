import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForMail } from '../../cli/demo/mails.js';
import { createNarrator } from '../../cli/demo/narrator.js';
import { APPROVER, tellStory, type StoryResult } from '../../cli/demo/story.js';
import { LedgerVerdict, ServedAt } from '../../cli/views.js';
import { workflowId } from '../../contract/names.js';
import { homeLayout } from '../../infra/stack/home.js';
import { createArtifacts } from '../../stores/artifacts.js';
import { uuid7 } from '../stores/samples.js';
import { atStep, eventOf } from './support/run-events.js';
import { COUNTS, EXPECTED, LABELS_A_CHECK, shortStory } from './support/short-story.js';
import { contextOf, startHome, type RunningHome } from './support/running-home.js';

const MODEL = 'car-truck';
const [FIRST, SECOND] = [`${MODEL}-r1`, `${MODEL}-r2`];

/** The demo's story once, on real parts; its processes are killed (SIGKILL) while it goes. What it left behind is looked at after. */
describe('the whole loop, with its processes killed', () => {
  let home: RunningHome;
  let story: StoryResult;
  let beforeFirstRelease: string;

  beforeAll(async () => { home = await startHome(); }, 240_000);
  afterAll(() => home.close(), 180_000);

  async function inTheFirstRun(): Promise<void> {
    const { stores } = home;
    await eventOf(stores, FIRST, 'the second epoch', (event) => event.kind === 'progress' && event.step === 'train' && Number(event.data['epoch']) >= 3);
    await home.kill('training');
    await eventOf(stores, FIRST, 'packaging', atStep('package'));
    await home.kill('compute');
    await eventOf(stores, FIRST, 'registration', atStep('register'));
    await home.kill('lifecycle');
  }

  test('the story ends right all the same', { timeout: 900_000 }, async () => {
    const narrator = createNarrator(contextOf(home));
    try {
      story = await tellStory({
        world: home.world, narrator, home: home.home, model: MODEL, counts: COUNTS, edit: shortStory, labelsPerCheck: LABELS_A_CHECK, expected: EXPECTED,
        async at(moment) {
          switch (moment) {
            case 'training': return inTheFirstRun();
            case 'waiting':
              beforeFirstRelease = new Date().toISOString();
              await waitForMail(homeLayout(home.home).mailDir, `the evidence of ${FIRST}`, ({ subject }) => subject.includes(`(${FIRST})`));
              await home.untilBack('lifecycle', await home.kill('lifecycle'));
              return;
            case 'approved':
              await Promise.all([home.kill('lifecycle'), home.kill('server-production')]);
              return;
          }
        },
      });
    } catch (error) {
      process.stderr.write(home.transcript());
      throw error;
    }
    if (process.env['PERENNIAL_E2E_TELL']) process.stderr.write(`${home.transcript()}${JSON.stringify(narrator.end(), null, 1)}\n`);
    expect(story.runs).toEqual([FIRST, SECOND]);
  });

  test('the training went on from a checkpoint, not from the start', async () => {
    const events = await home.stores.runs.events(FIRST, 0, 1_000);
    const notes = events.filter(({ kind, step }) => kind === 'note' && step === 'train').map(({ message }) => message);
    expect(notes).toHaveLength(1);
    expect(Number(/^resumed from epoch (\d+)/.exec(notes[0] ?? '')?.[1])).toBeGreaterThanOrEqual(2);
  });

  test('two versions, and one run for each cause', async () => {
    const versions = await home.stores.versions.list(MODEL);
    expect(versions.map(({ version, status, run }) => ({ version, status, run })).sort((a, b) => a.version - b.version)).toEqual([
      { version: 1, status: 'retired', run: FIRST }, { version: 2, status: 'live', run: SECOND },
    ]);
    const runs = await home.stores.runs.list({ model: MODEL });
    expect(runs.map(({ id, status, reason }) => [id, status, reason.kind]).sort()).toEqual([[FIRST, 'released', 'commit'], [SECOND, 'released', 'loss']]);
    const routes = await home.stores.routes.history('production', MODEL);
    expect(routes.map(({ generation, arms }) => [generation, arms.map(({ version }) => version)]).sort()).toEqual([[1, [1]], [2, [2]]]);
  });

  test('each evidence was mailed to its approver once', async () => {
    const sent = await home.db.query<{ id: string; sent: boolean }>('select id, sent_at is not null as sent from outbox where id like \'approval/%\' order by id');
    const sealed = await home.db.query<{ digest: string }>('select digest from evidence order by digest');
    expect(sealed).toHaveLength(2);
    expect(sent).toEqual(sealed.map(({ digest }) => ({ id: `approval/${digest}/${APPROVER}/request`, sent: true })));
    for (const run of [FIRST, SECOND]) await waitForMail(homeLayout(home.home).mailDir, `the evidence of ${run}`, ({ subject }) => subject.includes(`(${run})`));
  });

  test('every answered prediction is in PostgreSQL, once, with its label', async () => {
    const asked = COUNTS.day + COUNTS.night + COUNTS.day;
    const [stored] = await home.db.query<{ rows: number; requests: number; labelled: number }>(
      `select count(*) as rows, count(distinct p.request_id) as requests, (select count(distinct coalesce(l.request_id, l.prediction_id::text)) from labels l) as labelled
       from predictions p where p.model = $1 and p.environment = 'production'`, [MODEL]);
    expect(stored).toEqual({ rows: asked, requests: asked, labelled: asked });
  });

  test('what served when can be told', async () => {
    const { api } = contextOf(home);
    const [between] = await home.db.query<{ at: Date }>(`select max(at) as at from predictions where model = $1 and version = 1`, [MODEL]);
    const servedAt = async (time: string) => (await api.get(ServedAt, `/models/${MODEL}/served-at`, { time })).replicas.map(({ state, version, generation }) => ({ state, version, generation }));
    expect(await servedAt(beforeFirstRelease)).toEqual([{ state: 'nothing', version: null, generation: null }]);
    expect(await servedAt(new Date(between?.at ?? 0).toISOString())).toEqual([{ state: 'version', version: 1, generation: 1 }]);
    expect(await servedAt(new Date().toISOString())).toEqual([{ state: 'version', version: 2, generation: 2 }]);
  });

  test('the Schedule that the first release made brings days that are over to S3', async () => {
    const { config, stores, world } = home;
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const [newest] = await home.db.query<{ id: string }>('select id from predictions where model = $1 limit 1', [MODEL]);
    const made = newest && await stores.predictions.get(newest.id);
    if (!made) throw new Error('nothing was predicted');
    const old = { ...made, id: uuid7(yesterday), at: yesterday };
    await stores.predictions.insertMany([old]);
    const connection = await Connection.connect({ address: config.temporal.address });
    try {
      await new Client({ connection, namespace: config.temporal.namespace }).schedule.getHandle(workflowId.archivePredictions()).trigger();
      const { file } = await world.until('the day to be in S3', async () => stores.predictionArchives.get('predictions', yesterday.slice(0, 10)));
      const artifacts = createArtifacts(config.s3);
      expect(Buffer.from(await artifacts.get(file)).subarray(0, 4).toString()).toBe('PAR1');
      artifacts.close();
    } finally {
      await connection.close();
    }
  });

  test('the ledger is whole and names each decision once', async () => {
    const { api } = contextOf(home);
    for (const chain of ['runs', 'production']) expect(await api.get(LedgerVerdict, `/ledger/${MODEL}/${chain}/verify`)).toMatchObject({ ok: true });
    const entries = await home.stores.ledger.list(`${MODEL}/production`);
    for (const action of ['approved', 'released']) expect(entries.filter((entry) => entry.action === action).map(({ subject }) => subject['run'])).toEqual([FIRST, SECOND]);
  });

  test('down and up again: everything is there and served', { timeout: 300_000 }, async () => {
    await home.restart();
    await home.world.until('the route to be served again', async () => (await home.world.model(MODEL)).environments.some(({ environment, replicas }) => environment === 'production' && replicas.some(({ version }) => version === 2)));
    const cameras = await home.world.cameras('production', MODEL);
    try {
      const [answer] = await cameras.send([{ name: 'after-restart', label: 'car', pixels: new Uint8Array(32 * 32 * 3).fill(90) }], {});
      expect(['car', 'truck']).toContain(answer?.predicted);
    } finally {
      cameras.close();
    }
    await home.world.logShipped('production');
    const [stored] = await home.stores.predictions.findByRequest(MODEL, 'after-restart');
    expect(stored).toMatchObject({ version: 2, generation: 2 });
  });
});
