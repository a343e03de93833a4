import type { Config } from './config.js';
import { ensureSecret } from './stack/secrets.js';

/** The secret that pseudonyms are made with: the environment's, else one that is generated into the state folder at the first call (mode 0600). */
export async function pseudonymKey({ givenPseudonymKey, secretsDir }: Pick<Config, 'givenPseudonymKey' | 'secretsDir'>): Promise<string> {
  return givenPseudonymKey ?? ensureSecret(secretsDir, 'pseudonym-key', 32);
}
