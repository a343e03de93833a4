import { sha256Hex } from './digest.js';

/** By what an erased row is recognised: sha256 of the model's salt, a line feed and the row's key. DuckDB computes the same. */
export function erasureHash(salt: string, key: string): string {
  return sha256Hex(`${salt}\n${key}`);
}
