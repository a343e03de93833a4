import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ExperimentView } from '../../../contract/experiment.js';
import { createArtifacts } from '../../../stores/artifacts.js';
import { commandLine } from '../support/command-line.js';
import type { RunningHome } from '../support/running-home.js';

/** `perennial experiment` in the working tree of the example that tells who survived, with a change that nobody committed. */
export function testExperiment(home: () => RunningHome): void {
  test('a working tree is judged by cross-validation on all rows but the test rows, and nothing of it is registered or stored', { timeout: 240_000 }, async () => {
    const folder = join(home().home, 'repositories', 'titanic');
    const git = async (...args: string[]) => (await promisify(execFile)('git', ['-C', folder, ...args])).stdout.trim();
    const artifacts = createArtifacts(home().config.s3);
    const everything = async () => {
      const [rows] = await home().db.query<object>('select (select count(*) from models) as models, (select count(*) from runs) as runs, (select count(*) from versions) as versions, (select count(*) from snapshots) as snapshots, (select count(*) from definitions) as definitions');
      return { ...rows, objects: (await artifacts.list('')).filter((key) => /^(blobs|packages|runs|snapshots)\//.test(key)), git: [await git('for-each-ref'), await git('status', '--porcelain'), await git('stash', 'list')] };
    };
    try {
      const file = join(folder, 'titanic.model.ts');
      await writeFile(file, (await readFile(file, 'utf8')).replace('epochs: 40', 'epochs: 6'));
      const before = await everything();
      const { code, out, err } = await commandLine({ ...home(), io: { ...home().io, cwd: folder } }, 'experiment', 'run', 'titanic', '--folds', '2', '--json');
      expect(code, err).toBe(0);
      const { experiment, trials, standings } = ExperimentView.parse(JSON.parse(out));
      expect(experiment).toMatchObject({ status: 'done', metric: 'f1', stopped: null });
      expect(experiment.commit).not.toBe(await git('rev-parse', 'HEAD'));
      const { counts } = (await home().stores.snapshots.get(experiment.snapshot ?? '')) ?? {};
      expect(trials.reduce((sum, { rows }) => sum + (rows ?? 0), 0)).toBe(counts?.bySplit['train']);
      expect(trials.map(({ progress }) => progress?.epochs ?? 6)).toEqual([6, 6]); // the change is in it
      expect(standings).toMatchObject([{ done: 2, complete: true }]);
      expect(standings[0]?.mean).toBeGreaterThan(0.6);
      expect(standings[0]?.deviation).toBeLessThan(0.1);
      expect(await everything()).toEqual(before);

      const refused = await commandLine({ ...home(), io: { ...home().io, cwd: folder } }, 'experiment', 'run', 'titanic', '--branch', 'main', '--vary', 'training.batch=8');
      expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('training.batch: the definition has no such field (experiment/impossible)\nnext: Correct what is named')]);
    } finally {
      artifacts.close();
      await git('checkout', '--', '.');
    }
  });
}
