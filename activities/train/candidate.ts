import { z } from 'zod';
import { Ref } from '../../contract/ref.js';

/** A trained model that is not registered: its files by reference. */
export const Candidate = z.strictObject({ files: z.array(z.strictObject({ path: z.string(), ref: Ref })) });
export type Candidate = z.infer<typeof Candidate>;
