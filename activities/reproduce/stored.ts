import { PerennialError } from '../../contract/errors.js';
import { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import { nameOfVariant } from '../../definition/compression.js';
import type { Variant } from '../../definition/compression.js';
import type { ModelDefinition } from '../../definition/model.js';
import { readStoredDefinition } from '../../runtime/definition/read.js';
import type { Version } from '../../stores/versions.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { requireDefinition } from '../lookup.js';
import { COMPRESSED_AS } from '../package/hyperparameters.js';

/** A version's definition, read anew from the bundle in its package; the record of the commit must hold the same bundle. */
export async function readStored({ stores, artifacts }: ActivityDeps, { model, version, commit, manifest: ref }: Version): Promise<{ definition: ModelDefinition; trainingDigest: string; networkBundle: Ref | null; variant: Variant | null }> {
  const { content } = PackageManifest.parse(await readJson(artifacts, ref));
  const packaged = content.files.find(({ path }) => path === 'code/bundle.mjs');
  const { bundle, networkBundle, path } = await requireDefinition(stores, model, commit);
  if (packaged?.sha256 !== bundle.sha256) throw new PerennialError('package/corrupt', `the code in the package of ${model}@${version} is not the one that was accepted with commit ${commit.slice(0, 12)}`, { packaged: packaged?.sha256 ?? null, accepted: bundle.sha256 });
  const networkCode = networkBundle ? await artifacts.get(networkBundle) : null;
  const read = await readStoredDefinition({ code: await artifacts.get(bundle), networkCode, model, file: path });
  return { ...read, networkBundle, variant: variantOf(read.definition, content.hyperparameters[COMPRESSED_AS]) };
}

/** Which variant of the network the package holds: the choice hung on latencies of then, and is not made again. */
function variantOf({ compression }: ModelDefinition, name: unknown): Variant | null {
  return compression?.variants.find((variant) => nameOfVariant(variant) === name) ?? null;
}
