import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Runs } from '../../../cli/views.js';
import { commandLine } from '../support/command-line.js';
import { contextOf, type RunningHome } from '../support/running-home.js';
import { settled, untilWaiting } from '../support/team.js';

/** What a training made, taken out of its package and imported as if it had been trained elsewhere. `model`: one with a version 1. */
export function testImport(home: () => RunningHome, model: string): void {
  const runOfImport = async (known: readonly string[]) => home().world.until('a run of the import', async () => (
    (await contextOf(home()).api.get(Runs, '/runs', { model })).runs.find(({ id, reason }) => reason.kind === 'import' && !known.includes(id))?.id));

  test('an imported network is evaluated, tested and laid before approvers as a trained one; it is told to be imported', { timeout: 400_000 }, async () => {
    const { api } = contextOf(home());
    const folder = join(home().home, 'elsewhere');
    await mkdir(folder, { recursive: true });
    for (const path of ['model.json', 'weights.bin']) await writeFile(join(folder, path), await api.bytes(`/models/${model}/versions/1/package/file?path=${path}`));
    await home().world.perennial('import', folder, '--as', model, '--reason', 'trained by the other team');
    const run = await runOfImport([]);
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
    expect((await settled(home(), await runOfImport([run]))).run).toMatchObject({ status: 'failed', error: { code: 'import/unreadable' } });
  });
}
