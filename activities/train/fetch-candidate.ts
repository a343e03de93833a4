import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifacts } from '../../stores/artifacts.js';
import type { Candidate } from './candidate.js';

/** Fetches what a training made, or what is imported, into `directory`, every file checked. */
export async function fetchCandidate(artifacts: Artifacts, { files }: Pick<Candidate, 'files'>, directory: string): Promise<void> {
  for (const { path, ref } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await artifacts.getToFile(ref, join(directory, path));
  }
}
