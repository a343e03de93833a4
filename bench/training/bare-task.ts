import { z } from 'zod';
import { ModelDefinition } from '../../definition/model.js';

/** What the bare script is told: a file whose path is its only argument. */
export const BareTask = z.strictObject({
  definition: ModelDefinition,
  rows: z.int(), pixels: z.string(), labels: z.string(),
  /** A folder that the trained model is saved to. */
  saveTo: z.string(),
});
export type BareTask = z.infer<typeof BareTask>;

/** The one line that it prints. `accuracy` is the last epoch's, on the training pictures. */
export const BareResult = z.strictObject({ accuracy: z.number() });
