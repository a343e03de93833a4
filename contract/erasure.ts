import { z } from 'zod';
import { Instant, Sha256 } from './ref.js';

/** A row that was asked to be erased. Its key is nowhere, and `keyHash` cannot be turned back without the model's salt. */
export const Erasure = z.object({ id: z.string(), model: z.string(), keyHash: Sha256, reason: z.string(), by: z.string(), requestedAt: Instant, searchedAt: Instant.nullable() });
export type Erasure = z.infer<typeof Erasure>;

/** A snapshot that holds an erased row, in these files (of shards and, when they are removed, of profiles); `removedAt`: they are gone from S3. */
export const ErasedSnapshot = z.object({ snapshot: Sha256, files: z.array(Sha256), removedAt: Instant.nullable() });
export type ErasedSnapshot = z.infer<typeof ErasedSnapshot>;

/** What became of an erasure: the snapshots that hold its row, and the versions that were trained on them. */
export const ErasureView = z.object({
  erasure: Erasure, snapshots: z.array(ErasedSnapshot), versions: z.array(z.object({ version: z.int(), status: z.string(), snapshot: Sha256 })),
  /** How many predictions of the log were erased. */
  predictions: z.int(),
  /** Frozen test sets that were made anew without the row: `rows` are left. */
  frozen: z.array(z.object({ name: z.string(), revision: z.int(), rows: z.int() })),
});
export type ErasureView = z.infer<typeof ErasureView>;
