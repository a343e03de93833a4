import { archive } from './support/activities.js';

export interface ArchivePredictionsInput { readonly v: 1 }

/** Brings the days of the prediction log that are over to S3. */
export async function archivePredictions(_input: ArchivePredictionsInput): Promise<{ days: number }> {
  return archive.archivePredictions({ now: new Date(Date.now()).toISOString() });
}
