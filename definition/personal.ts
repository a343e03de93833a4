import { z } from 'zod';
import { Label } from './common.js';

/** What becomes of rows that seem to hold personal data: the run is stopped before anything is stored, or it is reported. */
export const PersonalData = z.strictObject({
  policy: z.enum(['block', 'warn']).default('warn'),
  /** Columns that are meant to hold it. */
  allow: z.array(Label).max(2000).default([]),
});
export type PersonalData = z.infer<typeof PersonalData>;
