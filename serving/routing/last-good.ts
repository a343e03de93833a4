import { z } from 'zod';
import { Ref, Sha256 } from '../../contract/ref.js';
import { Route } from '../../contract/route.js';
import { openStateFile } from '../state-file.js';

const Entry = z.strictObject({ route: Route, packages: z.record(z.string(), z.strictObject({ packageDigest: Sha256, manifest: Ref })) });
/** A route that took effect, with the packages of its versions: enough to serve it again without PostgreSQL and S3. */
export type LastGood = z.infer<typeof Entry>;
const LastGoodFile = z.strictObject({ v: z.literal(1), environment: z.string(), models: z.record(z.string(), Entry) });

export interface LastGoodStore {
  get(model: string): LastGood | null;
  all(): LastGood[];
  save(entry: LastGood): Promise<void>;
}

/** The last good route of every model, kept in a file; one written for another environment is not used. */
export async function openLastGood(path: string, environment: string): Promise<LastGoodStore> {
  const file = await openStateFile(path, LastGoodFile, { v: 1, environment, models: {} }, (found) => found.environment === environment);
  const { models } = file.value;
  return {
    get: (model) => models[model] ?? null,
    all: () => Object.values(models),
    save(entry) {
      models[entry.route.model] = entry;
      return file.save();
    },
  };
}
