import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { createArtifacts } from '../../../stores/artifacts.js';
import { canMount, startOnSmallDisk } from '../support/full-disk.js';
import { eventually, type RunningHome } from '../support/running-home.js';
import { createTeam, tinyModel, untilWaiting } from '../support/team.js';

const MODEL = 'roomless';
/** Less than the weights of the model (98 kB) need. */
const TOO_SMALL = '32k';

/** The disk of packaging is full (a real one: ENOSPC), until somebody makes room. */
export function testFullDisk(home: () => RunningHome): void {
  test.skipIf(!canMount())('a full disk at packaging is named, nothing is half registered, and the run goes on when there is room', { timeout: 300_000 }, async () => {
    const artifacts = createArtifacts(home().config.s3);
    const packages = () => artifacts.list('packages/');
    const before = await packages();
    const worker = await startOnSmallDisk(home(), 'packaging', TOO_SMALL);
    try {
      const team = await createTeam(home(), MODEL);
      const commit = await team.commit({ 'roomless.model.ts': tinyModel(MODEL) });
      await team.tell(commit);
      const run = await team.run(commit);
      await eventually(async () => {
        const shown = await home().world.perennial('show', run);
        for (const part of ['running', 'step package', 'the disk is full', '/scratch/packaging/', 'weights.bin could not be written', `(on ${hostname()})`, 'it is tried again', 'next: Make room on the disk that is named']) expect(shown).toContain(part);
        expect(Number(/attempt (\d+)/.exec(shown)?.[1])).toBeGreaterThanOrEqual(3);
      });
      expect(await home().stores.versions.list(MODEL)).toEqual([]);
      expect(await packages()).toEqual(before);

      await worker.enlarge('64m');
      expect((await untilWaiting(home(), run)).run).toMatchObject({ status: 'waiting', version: 1 });
      expect(await home().stores.versions.list(MODEL)).toHaveLength(1);
      const registered = (await home().stores.ledger.list(`${MODEL}/runs`)).filter(({ action }) => action === 'registered');
      expect(registered.map(({ subject }) => subject['run'])).toEqual([run]);
    } finally {
      artifacts.close();
      await worker.close();
    }
  });
}
