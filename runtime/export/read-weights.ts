import { readFile } from 'node:fs/promises';
import { readWeights as fetchWeights } from './read-weights.browser.js';

/** The bytes of a file, or of what lies at an http address. */
export async function readWeights(from: string | URL): Promise<Uint8Array> {
  return /^https?:/.test(String(from)) ? fetchWeights(from) : readFile(from);
}
