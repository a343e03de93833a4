import { z } from 'zod';
import { Ref } from '../../contract/ref.js';

/** `scores/<job>/plan.json`: a job's input, cut into files of a Parquet column `row` (place in the input, from 0), `key` and the signature's columns. */
export const ScorePlanFile = z.strictObject({
  v: z.literal(1), model: z.string(), version: z.int().min(1), input: z.string(), rows: z.int().min(0),
  partitions: z.array(z.strictObject({ rows: z.int().min(1), file: Ref })),
});
export type ScorePlanFile = z.infer<typeof ScorePlanFile>;

/** What a job's row keeps of its input. */
export const ScoreInput = z.strictObject({ uri: z.string(), plan: Ref, by: z.string() });
export type ScoreInput = z.infer<typeof ScoreInput>;

/** `scores/<job>/manifest.json`: written when every partition is done. */
export const ScoreManifest = z.strictObject({
  v: z.literal(1), job: z.string(), model: z.string(), version: z.int().min(1), input: z.string(), rows: z.int().min(0),
  partitions: z.array(z.strictObject({ partition: z.int().min(0), rows: z.int().min(1), file: Ref })),
});
export type ScoreManifest = z.infer<typeof ScoreManifest>;

export const planKey = (job: string) => `scores/${job}/plan.json`;
export const partKey = (job: string, partition: number) => `scores/${job}/part-${String(partition).padStart(5, '0')}.parquet`;
export const manifestKey = (job: string) => `scores/${job}/manifest.json`;
