import { PerennialError } from '../contract/errors.js';
import { createPseudonyms, keyOf } from '../runtime/personal/pseudonyms.js';
import type { Pseudonyms } from '../runtime/personal/pseudonyms.js';
import type { Runner } from '../runtime/runner/start.js';

/** What values of requests are replaced with, for the versions that were trained so. */
export function createServedPseudonyms(readKey: () => Promise<string>) {
  let secret: string | null = null;
  const known = new Map<string, Pseudonyms>();
  return {
    /** Null until a version that needs them was loaded. */
    of: (model: string): Pseudonyms | null => {
      if (secret === null) return null;
      const pseudonyms = known.get(model) ?? createPseudonyms(secret, model);
      known.set(model, pseudonyms);
      return pseudonyms;
    },

    /** Lets a runner serve. One whose pseudonyms were made with another key is ended: it would be asked of people that it does not know. */
    admit: async (runner: Runner): Promise<Runner> => {
      const key = runner.signature.inputs.find(({ personal }) => personal)?.personal?.key;
      if (key === undefined) return runner;
      try {
        secret ??= await readKey();
        if (keyOf(secret) !== key) throw new PerennialError('data/pseudonym-key', `${runner.model} was trained with pseudonyms of the key ${key}, this server has the key ${keyOf(secret)}`, { key });
        return runner;
      } catch (error) {
        await runner.close();
        throw error;
      }
    },
  };
}
