import { PerennialError } from '../../contract/errors.js';
import { PackageManifest } from '../../contract/package.js';
import type { Ref } from '../../contract/ref.js';
import type { ModelDefinition } from '../../definition/model.js';
import { readStoredDefinition } from '../../runtime/definition/read.js';
import type { Version } from '../../stores/versions.js';
import type { ActivityDeps } from '../deps.js';
import { readJson } from '../../stores/json-objects.js';
import { requireDefinition } from '../lookup.js';

/** A version's definition, read anew from the bundle in its package; the record of the commit must hold the same bundle. */
export async function readStored({ stores, artifacts }: ActivityDeps, { model, version, commit, manifest: ref }: Version): Promise<{ definition: ModelDefinition; trainingDigest: string; networkBundle: Ref | null }> {
  const { content } = PackageManifest.parse(await readJson(artifacts, ref));
  const packaged = content.files.find(({ path }) => path === 'code/bundle.mjs');
  const { bundle, networkBundle, path } = await requireDefinition(stores, model, commit);
  if (packaged?.sha256 !== bundle.sha256) throw new PerennialError('package/corrupt', `the code in the package of ${model}@${version} is not the one that was accepted with commit ${commit.slice(0, 12)}`, { packaged: packaged?.sha256 ?? null, accepted: bundle.sha256 });
  const networkCode = networkBundle ? await artifacts.get(networkBundle) : null;
  return { ...(await readStoredDefinition({ code: await artifacts.get(bundle), networkCode, model, file: path })), networkBundle };
}
