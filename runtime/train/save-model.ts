import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentLock, Preprocessing, Signature } from '../../contract/package.js';
import type { TrainingProfile } from '../../contract/profile.js';
import type { LayersModel, TensorFlow } from '../tensorflow.js';

export interface ModelParts {
  readonly preprocessing: Preprocessing;
  readonly signature: Signature;
  readonly profile: TrainingProfile;
  readonly environment: EnvironmentLock;
}

/** Writes `model.json`, `weights.bin` and the parts to `directory`, complete or not at all. The same training gives the same bytes. */
export async function saveModel(tf: TensorFlow, model: LayersModel, parts: ModelParts, directory: string): Promise<void> {
  const temporary = `${directory}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await model.save(tf.io.withSaveHandler(async (artifacts) => {
    const weights = tf.io.CompositeArrayBuffer.join(artifacts.weightData);
    await writeFile(join(temporary, 'weights.bin'), new Uint8Array(weights));
    const topology = { format: artifacts.format, modelTopology: artifacts.modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }] };
    await writeFile(join(temporary, 'model.json'), JSON.stringify(topology));
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  }));
  for (const [name, value] of Object.entries(parts)) await writeFile(join(temporary, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);
  await rm(directory, { recursive: true, force: true });
  await rename(temporary, directory);
}
