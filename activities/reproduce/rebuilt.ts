import type { z } from 'zod';
import { Sha256 } from '../../contract/ref.js';
import { Candidate } from '../train/candidate.js';

/** What a second training made, and the training digest that the stored definition has in this release. */
export const Rebuilt = Candidate.extend({ trainingDigest: Sha256 });
export type Rebuilt = z.infer<typeof Rebuilt>;
