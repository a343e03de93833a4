import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { FeatureViewState } from '../../../contract/feature-store.js';
import { commandLine } from '../support/command-line.js';
import { addPerson, decide, evidenceOf, signed } from '../support/decisions.js';
import type { RunningHome } from '../support/running-home.js';
import { createTeam, settled, untilWaiting } from '../support/team.js';
import { query } from '../../activities/support/data.js';

const MODEL = 'returns';
const VIEW = `import { defineFeatureView } from 'perennial';

export default defineFeatureView({
  schema: 1, name: 'activity', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'How often customers came.', entity: [{ name: 'customer', type: 'text' }], timestamp: 'day',
  source: { kind: 'parquet', location: 'activity', path: '*.parquet' }, columns: ['visits', { name: 'plan', type: 'text', nullable: true }], schedule: '2s', ttl: '400d', freshness: '1h',
});
`;
const DEFINITION = `import { defineModel, layers } from 'perennial';

export default defineModel({
  schema: 1, name: '${MODEL}', owner: { name: 'Team', email: 'team@example.com' }, purpose: 'Tells customers who come back.',
  data: {
    kind: 'table', columns: ['basket', { name: 'visits', type: 'number', nullable: true }, { name: 'plan', type: 'text', nullable: true }], leakage: { columns: 'off' },
    views: [{ view: 'activity', key: { customer: 'who' }, columns: ['visits', 'plan'] }],
    target: { name: 'back', classes: ['no', 'yes'] },
    sources: [{ kind: 'parquet', location: 'orders', path: '*.parquet', key: 'id', eventTime: 'ordered', split: { byKey: { train: 0.7, test: 0.3 } } }],
  },
  network: { layers: [layers.dense({ units: 8, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] },
  training: { optimizer: { kind: 'adam', learningRate: 0.03 }, epochs: 20, batchSize: 16, seed: 1, threads: 1, quickPass: { rows: 64 } },
  evaluation: { gates: [{ kind: 'at-least', name: 'learned', metric: 'accuracy', threshold: 0.9, minimumRows: 10 }] },
  testEnvironment: { rows: 10, p99Ms: 60_000, load: { seconds: 1, connections: 2 } },
});
`;
const Predicted = z.object({ outputs: z.array(z.object({ name: z.string(), data: z.array(z.unknown()) })) });

/** A feature view and a model that takes columns of it, from one commit to predictions by key. */
export function testFeatures(home: () => RunningHome): void {
  test('a feature view is materialised by its schedule, joined as of each row\'s time, and looked up by key', { timeout: 400_000 }, async () => {
    const { world } = home();
    const [activity, orders] = [join(home().home, 'activity'), join(home().home, 'orders')];
    for (const folder of [activity, orders]) await mkdir(folder, { recursive: true });
    // Whether a customer comes back follows from the visits that were known at the order; those of later say the opposite.
    await query(`copy (select 'c-' || i as customer, unnest([timestamp '2026-06-01', timestamp '2026-08-01']) as day, unnest([i % 2, 1 - i % 2])::double as visits, 'plan ' || i % 3 as plan from range(300) t(i)) to '${join(activity, 'a.parquet')}' (format parquet)`);
    await query(`copy (select 'o-' || i as id, 'c-' || i as who, timestamp '2026-07-01' as ordered, (i % 7)::double as basket, case when i % 2 = 1 then 'yes' else 'no' end as back from range(300) t(i)) to '${join(orders, 'o.parquet')}' (format parquet)`);
    await world.perennial('location', 'set', 'activity', activity);
    await world.perennial('location', 'set', 'orders', orders);
    await addPerson(home(), 'fay', { approver: true });
    const team = await createTeam(home(), MODEL);
    const commit = await team.commit({ 'returns.model.ts': DEFINITION, 'activity.view.ts': VIEW });
    await team.tell(commit);
    const { run: { id: run } } = await untilWaiting(home(), await team.run(commit));
    const state = async () => FeatureViewState.parse(JSON.parse(await world.perennial('features', 'activity', '--json')));
    expect(await state()).toMatchObject({ commit, rows: 600, entities: 300, stale: false, lastFailure: null });
    expect(await decide(home(), run, await signed(home(), { run, evidence: await evidenceOf(home(), run), approver: 'fay' }))).toBe('accepted');
    expect((await settled(home(), run)).run).toMatchObject({ status: 'released', version: 1 });

    // By now August is known: what the model learned of June's visits holds for them.
    const file = join(orders, 'asked.json');
    const asked = async (row: unknown) => { await writeFile(file, JSON.stringify(row)); return commandLine(home(), 'predict', MODEL, '--row', file, '--json'); };
    const classes = (out: string) => Predicted.parse(JSON.parse(out)).outputs.find(({ name }) => name === 'class')?.data;
    expect(classes((await asked([{ basket: 3, who: 'c-10' }, { basket: 3, who: 'c-11' }])).out)).toEqual(['yes', 'no']);
    expect(classes((await asked([{ basket: 3, visits: 0, plan: 'plan 1' }, { basket: 3, visits: 1, plan: 'plan 1' }])).out)).toEqual(['no', 'yes']);
    const scored = join(orders, 'scored.csv');
    await writeFile(scored, 'id,basket,who\na,3,c-10\nb,3,c-11\n');
    expect(JSON.parse(await world.perennial('score', MODEL, '--input', scored, '--wait', '--json'))).toMatchObject({ status: 'done', score: { rows: 2 } });

    // The schedule brings what is new, without anybody asking; what cannot be stored is told, and what is stored stays.
    await query(`copy (select 'c-10' as customer, timestamp '2026-09-01' as day, 0.0::double as visits, 'plan 1' as plan) to '${join(activity, 'b.parquet')}' (format parquet)`);
    await world.perennial('features', 'materialise', 'activity', '--full');
    expect(classes((await asked({ basket: 3, who: 'c-10' })).out)).toEqual(['no']);
    await query(`copy (select 'c-10' as customer, null::timestamp as day, 0.0::double as visits, 'plan 1' as plan) to '${join(activity, 'c.parquet')}' (format parquet)`);
    await world.until('the schedule to meet a row without a time', async () => (await state()).lastFailure?.error?.code === 'features/blocked');
    const failed = await commandLine(home(), 'features', 'materialise', 'activity');
    expect([failed.code, failed.err]).toEqual([1, expect.stringMatching(/the event time day has to be a time .*1 row is not: c\.parquet row 0 \(features\/blocked\)/) as string]);
    expect(classes((await asked({ basket: 3, who: 'c-10' })).out)).toEqual(['no']);
    const wrong = await team.commit({ 'returns.model.ts': DEFINITION.replace('view: \'activity\'', 'view: \'nowhere\''), 'activity.view.ts': VIEW });
    await team.tell(wrong);
    expect((await team.intake(wrong)).error).toMatchObject({ code: 'definition/invalid', message: expect.stringContaining('data.views[0].view: expected a feature view (activity), found nowhere') as string });
    const mails = await home().db.query<{ n: number }>('select count(*) as n from outbox where id like \'features/activity/%\'');
    expect(mails[0]?.n).toBe(1);
  });
}
