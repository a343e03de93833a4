import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainingProfile } from '../contract/profile.js';

/** What a package says of its training rows; null of one that says nothing. The file is verified with the package. */
export async function readProfile(packageDirectory: string): Promise<TrainingProfile | null> {
  try {
    return TrainingProfile.parse(JSON.parse(await readFile(join(packageDirectory, 'profile.json'), 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
