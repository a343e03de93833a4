import { z } from 'zod';
import { ColumnType } from '../definition/columns.js';
import { Sha256 } from './ref.js';

/**
 * A feature view whose values a model takes: as of each row's time in its snapshots, as of now in predictions. `digest` is over what decides the
 * view's rows; `keys`, in the view's order, are the columns of rows and requests that hold them; of `columns`, `input` is what the model calls them.
 */
export const JoinedView = z.strictObject({
  view: z.string(), digest: Sha256, ttlMs: z.int(),
  keys: z.array(z.strictObject({ input: z.string(), type: ColumnType })),
  columns: z.array(z.strictObject({ input: z.string(), place: z.int().min(0).describe('among the view\'s columns') })),
});
export type JoinedView = z.infer<typeof JoinedView>;
