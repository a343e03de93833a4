import { z } from 'zod';
import { Commit } from '../ref.js';

/** What is read of a GitHub push event; whatever else it says (addresses above all) is ignored. */
export const PushEvent = z.object({ ref: z.string().max(1000), after: Commit, deleted: z.boolean().optional() });
export type PushEvent = z.infer<typeof PushEvent>;

/** The commit of a push that deletes its branch. */
export const NO_COMMIT = '0'.repeat(40);
