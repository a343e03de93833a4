import { expect, test } from 'vitest';
import { z } from 'zod';
import type { CameraPicture } from '../../../cli/demo/camera.js';
import { readTraffic } from '../../../infra/demo/traffic.js';
import { freeze } from '../support/processes.js';
import { eventually, type RunningHome } from '../support/running-home.js';

const Health = z.object({ status: z.string(), parts: z.record(z.string(), z.boolean()) });

/** PostgreSQL hangs, then dies, under traffic. `pictures` holds traffic `day`. */
export function testPostgresAway(home: () => RunningHome, { model, seconds, pictures }: { model: string; seconds: number; pictures: () => string }): void {
  test(`PostgreSQL stops for ${seconds} s under traffic: every request is answered, every answer is kept, and people are told`, { timeout: 240_000 + seconds * 1_000 }, async () => {
    const rows: CameraPicture[] = [];
    for await (const row of readTraffic(pictures(), 'day')) rows.push(row);
    const cameras = await home().world.cameras('production', model);
    const health = async () => Health.parse(await (await fetch(`${home().config.gateway.url}/api/v1/health`)).json());
    let asked = 0;
    try {
      const send = async () => { await cameras.send(rows.map((row) => ({ ...row, name: `${row.name}-${asked++}` })), {}); };
      await send();
      const thaw = freeze(await home().pidOf('postgres'));
      try {
        const told = tellsTheTruth();
        for (const until = Date.now() + seconds * 1_000; Date.now() < until;) await send();
        await told;
      } finally {
        thaw();
      }
      const killed = await home().kill('postgres');
      await send();
      await home().untilBack('postgres', killed);
      await send();
    } finally {
      cameras.close();
    }
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok', parts: { database: true } }));
    await eventually(() => home().world.logShipped('production'));
    const [stored] = await home().db.query<{ rows: number; requests: number }>('select count(*) as rows, count(distinct request_id) as requests from predictions where model = $1 and request_id like \'day-%\'', [model]);
    expect(stored).toEqual({ rows: asked, requests: asked });

    async function tellsTheTruth(): Promise<void> {
      expect(await health()).toMatchObject({ status: 'degraded', parts: { gateway: true, database: false, storage: true, temporal: true } });
      await expect(home().world.perennial('status')).rejects.toThrow('away: database');
      await expect(home().world.perennial('show', model)).rejects.toThrow('database/unavailable');
    }
  });
}
