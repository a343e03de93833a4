import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalSnapshot } from '../../../contract/frames.js';
import { PackageManifest } from '../../../contract/package.js';
import type { ModelDefinition } from '../../../definition/model.js';
import { replacingActions } from '../../../definition/personal.js';
import { keyOf } from '../../../runtime/personal/pseudonyms.js';
import { loadNativeParts } from '../../../infra/native.js';
import { evaluateInChild } from '../../../runtime/evaluate/evaluate.js';
import type { Evaluated } from '../../../runtime/evaluate/evaluate.js';
import { trainInChild } from '../../../runtime/train/train.js';
import { writePackage } from '../../runtime/support/package.js';
import { writeSnapshot } from '../../runtime/support/snapshot.js';
import type { Row } from '../../runtime/support/snapshot.js';
import { addModel, addRun, versionOf } from '../../stores/samples.js';
import type { DataStack } from './data.js';

export interface Registered { readonly model: string; readonly version: number; readonly directory: string; readonly snapshot: LocalSnapshot; readonly evaluated: Evaluated }

/** Trains on a few rows, packs the model and registers it. `change`: what is done to the model before it is judged and packed. */
export async function registerTrained(stack: DataStack, definition: ModelDefinition, rowsOf: readonly Row[] | ((model: string) => readonly Row[]), change: (modelDirectory: string) => void = () => undefined): Promise<Registered> {
  const model = await addModel(stack.stores);
  const folder = join(stack.folder, model);
  await mkdir(folder);
  const { data } = definition;
  const rows = typeof rowsOf === 'function' ? rowsOf(model) : rowsOf;
  const replaced = data.kind === 'table' ? replacingActions(data) : {};
  const personal = Object.keys(replaced).length > 0 ? { personal: { key: keyOf(await stack.deps.pseudonymKey()), columns: replaced } } : {};
  const snapshot = await writeSnapshot(join(folder, 'snapshot'), rows, { target: data.target, shards: 1, ...(data.kind === 'table' ? { columns: data.columns } : {}), ...personal });
  return registerSnapshot(stack, { model, definition, snapshot, change });
}

/** The same with rows that are a snapshot already. */
export async function registerSnapshot(stack: DataStack, { model, definition, snapshot, change = () => undefined }: { model: string; definition: ModelDefinition; snapshot: LocalSnapshot; change?: (modelDirectory: string) => void }): Promise<Registered> {
  const { tfjsNode } = loadNativeParts();
  const run = await addRun(stack.stores, model);
  const folder = join(stack.folder, model);
  await mkdir(folder, { recursive: true });
  const { modelDirectory } = await trainInChild({ definition, bundleCode: null, snapshot, attemptDirectory: join(folder, 'attempt'), resumeFrom: null, mode: 'full', tfjsNode });
  change(modelDirectory);
  const evaluated = await evaluateInChild({ modelDirectory, snapshot, tfjsNode, threads: 1 });
  const directory = join(folder, 'package');
  writePackage(directory, modelDirectory, evaluated.golden);
  const bytes = await readFile(join(directory, 'manifest.json'));
  const { digest } = PackageManifest.parse(JSON.parse(bytes.toString()));
  for (const name of await readdir(directory)) await stack.artifacts.putAt(`packages/${digest}/${name}`, join(directory, name));
  const manifest = await stack.artifacts.putAt(`packages/${digest}/manifest.json`, bytes);
  const { version } = await stack.stores.versions.register({ ...versionOf(model, run), packageDigest: digest, manifest, snapshot: snapshot.manifest.digest });
  return { model, version, directory, snapshot, evaluated };
}
