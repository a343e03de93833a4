import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createArtifacts } from '../../../stores/artifacts.js';
import { commandOf, descendantsOf } from '../support/processes.js';
import { eventOf } from '../support/run-events.js';
import { eventually, type RunningHome } from '../support/running-home.js';
import { createTeam, tinyModel, viewOf } from '../support/team.js';

const MODEL = 'endless';
const WITHIN_MS = 5_000;

/** A training that would take hours: its worker is told to stop, and then the run is. */
export function describeCancel(home: () => RunningHome): void {
  describe('a run in its training', () => {
    let run: string;
    const trainingChild = async () => descendantsOf(await home().pidOf('training')).find((pid) => commandOf(pid).includes('programs/train'));
    const checkpoints = async () => {
      const artifacts = createArtifacts(home().config.s3);
      try {
        return (await artifacts.list(`runs/${run}/`)).length;
      } finally {
        artifacts.close();
      }
    };
    const inEpoch = (atLeast: number) => eventOf(home().stores, run, `epoch ${atLeast}`, ({ kind, step, data }) => kind === 'progress' && step === 'train' && Number(data['epoch']) >= atLeast);

    beforeAll(async () => {
      const team = await createTeam(home(), MODEL);
      const commit = await team.commit({ 'endless.model.ts': tinyModel(MODEL, { epochs: 10_000 }) });
      await team.tell(commit);
      run = await team.run(commit);
      await inEpoch(3);
    }, 240_000);

    test('goes on from its checkpoint when its worker is told to stop', { timeout: 240_000 }, async () => {
      await eventually(async () => expect(await checkpoints()).toBeGreaterThan(0));
      const stopped = await home().pidOf('training');
      process.kill(stopped, 'SIGTERM');
      const resumed = await eventOf(home().stores, run, 'another worker', ({ kind, step }) => kind === 'note' && step === 'train');
      expect(Number(/^resumed from epoch (\d+)/.exec(resumed.message)?.[1])).toBeGreaterThanOrEqual(2);
      await home().untilBack('training', stopped);
    });

    test('is cancelled within 5 s: its child process has ended, nothing is left, nothing is registered', { timeout: 240_000 }, async () => {
      const child = await home().world.until('the child process of the training', trainingChild);
      await eventually(async () => expect(await checkpoints()).toBeGreaterThan(0));
      const began = Date.now();
      await home().world.perennial('cancel', run, '--reason', 'the labels were wrong');
      await eventually(() => {
        expect(commandOf(child)).toBe('');
        return Promise.resolve();
      });
      await eventually(async () => expect((await viewOf(home(), run)).run.status).toBe('cancelled'));
      expect(Date.now() - began).toBeLessThan(WITHIN_MS);

      const shown = await home().world.perennial('show', run);
      for (const part of ['cancelled', 'step train', 'the labels were wrong', 'Nothing was registered', `perennial retrain ${MODEL}`]) expect(shown).toContain(part);
      expect(await home().stores.versions.list(MODEL)).toEqual([]);
      await eventually(async () => expect(await checkpoints()).toBe(0));
      expect(await readdir(join(home().home, 'scratch', 'trainings'))).toEqual([]);
      expect((await home().world.model(MODEL)).open).toEqual([]);
      await expect(home().world.perennial('cancel', run, '--reason', 'again')).rejects.toThrow('it is cancelled');
    });
  });
}
