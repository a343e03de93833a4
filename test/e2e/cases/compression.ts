import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { EvidenceView } from '../../../cli/views.js';
import { Comparison } from '../../../contract/comparison.js';
import { GoldenPredictions } from '../../../contract/package.js';
import { Reproduction } from '../../../contract/reproduction.js';
import { root } from '../../docs/support.js';
import { commandLine } from '../support/command-line.js';
import { contextOf, type RunningHome } from '../support/running-home.js';
import { createTeam, tinyModel, untilWaiting } from '../support/team.js';

const MODEL = 'small';
const VERSION = `${MODEL}@1`;

/** The pruned network is the smallest, whatever it loses; the student is none too small. */
const COMPRESSION = `compression: {
  variants: [
    'float16', 'uint8', { kind: 'prune', name: 'sparse', share: 0.9, store: 'uint8' },
    { kind: 'distil', name: 'student', network: { layers: [layers.flatten(), layers.dense({ units: 4, activation: 'relu' }), layers.dense({ units: 2, activation: 'softmax' })] }, epochs: 1 },
  ],
  allow: { lost: 0.5 },
},`;

interface Exported { readonly load: () => Promise<{ predict(rows: readonly unknown[]): Promise<{ class: string; probabilities: number[] }[]> }> }

/** A model whose definition asks for smaller networks. The pictures are laid out. */
export function testCompression(home: () => RunningHome): void {
  const perennial = (...args: string[]) => home().world.perennial(...args);

  test('variants of a network are measured against it, and the smallest that loses no more than is allowed is released, reproduced and exported', { timeout: 600_000 }, async () => {
    const team = await createTeam(home(), MODEL);
    const commit = await team.commit({ 'small.model.ts': tinyModel(MODEL, { rest: COMPRESSION }) });
    await team.tell(commit);
    const run = await team.run(commit);
    const { evaluations: { compression } } = await untilWaiting(home(), run);
    const { stores } = home();
    const steps = (await stores.runs.events(run)).filter(({ kind }) => kind === 'step').map(({ step }) => step);
    expect(steps.slice(steps.indexOf('train'))).toEqual(['train', 'compress', 'evaluate', 'package', 'register', 'test-environment', 'evidence', 'approval']);
    expect(compression).toMatchObject({ chosen: 'sparse', variants: ['full', 'float16', 'uint8', 'sparse', 'student'].map((name) => ({ name, verdict: 'pass' })) });
    const [full, half, quarter, sparse = Infinity, student] = compression?.variants.map(({ bytes }) => bytes ?? 0) ?? [];
    const weights = 3072 * 8 + 8 + 8 * 2 + 2;
    expect([half, quarter, student].map((bytes) => Math.round(((full ?? 0) - (bytes ?? 0)) / weights))).toEqual([2, 3, 2]);
    expect(sparse).toBeLessThan(0.4 * (quarter ?? 0));
    for (const { latencyMs, interval } of compression?.variants ?? []) expect([latencyMs?.p50, latencyMs?.batch, interval?.[0]].every((value) => typeof value === 'number')).toBe(true);

    const [packed] = await stores.versions.list(MODEL);
    expect(packed).toMatchObject({ version: 1, status: 'tested', hyperparameters: { compression: 'sparse' } });
    const { api } = contextOf(home());
    const file = (path: string) => api.bytes(`/models/${MODEL}/versions/1/package/file?path=${path}`);
    const [model, stored] = [new TextDecoder().decode(await file('model.json')), await file('weights.bin')];
    expect([Buffer.byteLength(model) + stored.byteLength, gunzipSync(stored).byteLength]).toEqual([sparse, 3072 * 8 + 16 + (8 + 2) * 4]);
    expect(new TextDecoder().decode(await file('card.md'))).toMatch(/- Compressed: sparse \(90% of each kernel is 0, 1 epoch more; kernels in 256 steps; gzip\), \d+\.\d kB instead of \d+\.\d kB; against the full network/);

    const evidence = await api.get(EvidenceView, `/runs/${run}/evidence`);
    expect(evidence.sealed.compression).toEqual(compression);
    const page = new TextDecoder().decode(await api.bytes(`/reports/${evidence.digest}.html`));
    expect(page).toMatch(/Variants of the network[^]*sparse \(chosen\)[^]*<svg[^]*accuracy against stored size[^]*accuracy against milliseconds for one row/);
    for (const shown of [await perennial('show', run), await perennial('show', VERSION)]) expect(shown).toMatch(/float16 +weights as 16-bit floats[^]*sparse \(chosen\)[^]*sparse is the smallest that loses no more than is allowed/);
    const compared = Comparison.parse(JSON.parse(await perennial('compare', 'again@1', VERSION, '--json')));
    expect([...compared.parameters, ...compared.metrics].filter(({ name }) => ['variant', 'bytes of the network'].includes(name)).map(({ values }) => values)).toEqual([[null, 'sparse'], [null, sparse]]);

    expect(Reproduction.parse(JSON.parse(await perennial('reproduce', VERSION, '--json')))).toMatchObject({ status: 'identical', report: { weights: { identical: true, values: weights } } });
    await exportsWhatIsServed(GoldenPredictions.parse(JSON.parse(new TextDecoder().decode(await file('golden.json')))));
  });

  /** The exported package answers as the version does, with TensorFlow.js in this process. */
  async function exportsWhatIsServed(golden: GoldenPredictions): Promise<void> {
    const folder = join(home().home, 'exported');
    await mkdir(join(folder, 'node_modules'), { recursive: true });
    for (const name of ['@tensorflow', 'sharp']) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    const into = join(folder, 'small');
    expect(await commandLine(home(), 'export', VERSION, '--as', 'npm', '--out', into)).toMatchObject({ code: 0 });
    expect((await stat(join(into, 'weights.bin'))).size).toBeLessThan(10_000);
    const { load } = await import(pathToFileURL(join(into, 'node.js')).href) as Exported;
    const rows = golden.rows.flatMap((row) => (typeof row.input === 'string' && 'class' in row ? [{ ...row, pixels: Buffer.from(row.input, 'base64') }] : []));
    const answers = await (await load()).predict(rows.map(({ pixels }) => ({ width: 32, height: 32, data: Uint8ClampedArray.from({ length: 4096 }, (_, at) => (at % 4 === 3 ? 255 : pixels[Math.floor(at / 4) * 3 + (at % 4)] ?? 0)) })));
    expect(answers.map((answer) => answer.class)).toEqual(rows.map((row) => row.class));
    answers.forEach(({ probabilities }, at) => { probabilities.forEach((value, index) => { expect(value).toBeCloseTo(rows[at]?.probabilities[index] ?? NaN, 4); }); });
    expect(JSON.parse(await readFile(join(into, 'perennial.json'), 'utf8'))).toMatchObject({ model: MODEL, version: 1 });
  }
}
