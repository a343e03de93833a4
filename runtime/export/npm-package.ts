import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import { Preprocessing, Signature } from '../../contract/package.js';
import { packageRoot } from '../child/program-path.js';
import type { NetworkFile } from '../network.js';
import { verifyPackage } from '../runner/verify-package.js';
import { bundlePortable, TENSORFLOW } from './bundle.js';
import type { Exported } from './load.js';
import { readmeOf, termsOf } from './readme.js';
import type { Origin } from './readme.js';
import { refuseUnportable } from './refuse.js';
import { typesOf } from './types.js';

export interface ExportRequest {
  /** A local folder with the version's whole package. */
  readonly packageDirectory: string;
  /** Name of the npm package. */
  readonly name: string;
  readonly origin: Origin;
  /** The folder to make; what it held is replaced. */
  readonly into: string;
}

/** npm's own rule for new names (validate-npm-package-name). */
export const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]{0,213}$/;

/**
 * Makes an npm package of a version: network and weights, its preprocessing and types, card and terms. Complete or not there; the same
 * version gives the same bytes. Errors: `export/unsupported`, `package/corrupt`.
 */
export async function exportNpmPackage({ packageDirectory, name, origin, into }: ExportRequest): Promise<{ readonly files: readonly string[] }> {
  const { content, digest } = await verifyPackage(packageDirectory);
  const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(packageDirectory, file), 'utf8')) as unknown;
  const [signature, preprocessing] = [Signature.parse(await json('signature.json')), Preprocessing.parse(await json('preprocessing.json'))];
  const version = `${origin.model}@${origin.version}`;
  if (digest !== origin.digest) throw new PerennialError('package/corrupt', `the package of ${version} should have the digest ${origin.digest}, and has ${digest}`);
  refuseUnportable(version, signature);
  const weights = content.files.find(({ path }) => path === 'weights.bin');
  if (!weights) throw new PerennialError('export/unsupported', `${version} cannot be exported: it is a SavedModel, which TensorFlow.js does not run`);
  const exported: Exported = { model: origin.model, version: origin.version, digest, signature, preprocessing, network: await json('model.json') as NetworkFile, weights: { sha256: weights.sha256, bytes: weights.bytes } };
  const [node, browser] = await Promise.all([bundlePortable(exported, 'node'), bundlePortable(exported, 'browser')]);

  const files: Readonly<Record<string, string | Uint8Array>> = {
    'package.json': `${JSON.stringify(await manifestOf(name, origin, preprocessing), null, 2)}\n`,
    'node.js': node.code, 'browser.js': browser.code, 'index.d.ts': typesOf(signature),
    'perennial.json': `${JSON.stringify(origin, null, 2)}\n`,
    'README.md': readmeOf(name, origin, signature),
    'MODEL_CARD.md': await readFile(join(packageDirectory, 'card.md')),
    'TERMS.md': termsOf(origin, await noticesOf([...new Set([...node.packages, ...browser.packages])])),
  };
  const temporary = `${into}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(temporary, path), bytes);
  await copyFile(join(packageDirectory, 'weights.bin'), join(temporary, 'weights.bin'));
  await rm(into, { recursive: true, force: true });
  await rename(temporary, into);
  return { files: [...Object.keys(files), 'weights.bin'].sort() };
}

async function manifestOf(name: string, { model, version, digest }: Origin, { kind }: Preprocessing): Promise<object> {
  const own = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as { dependencies: { sharp: string } };
  return {
    name, version: `${version}.0.0`, description: `The model ${model}, version ${version}, package ${digest.slice(0, 12)}`, license: 'SEE LICENSE IN TERMS.md', type: 'module',
    exports: { '.': { types: './index.d.ts', browser: './browser.js', default: './node.js' }, './weights.bin': './weights.bin', './package.json': './package.json' },
    types: './index.d.ts', sideEffects: false, engines: { node: '>=20' },
    peerDependencies: { [TENSORFLOW]: '^4.22.0', ...(kind === 'image' ? { sharp: `^${own.dependencies.sharp}` } : {}) },
    ...(kind === 'image' ? { peerDependenciesMeta: { sharp: { optional: true } } } : {}),
  };
}

/** The licences of this program and of the packages whose code went into the bundle: they ask to be handed on. */
async function noticesOf(packages: readonly string[]): Promise<{ name: string; text: string }[]> {
  return Promise.all([packageRoot(), ...packages].map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { name: string; version: string; license?: string };
    const file = (await readdir(folder)).find((one) => /^licen[cs]e(\.|$)/i.test(one));
    return { name: `${name} ${version} (${license ?? 'no licence named'})`, text: file === undefined ? `See the package ${name}.` : await readFile(join(folder, file), 'utf8') };
  }));
}
