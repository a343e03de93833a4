import { z } from 'zod';
import { Share } from './common.js';

const Severity = z.enum(['block', 'warn', 'off']);

/** Test rows that training has seen: what makes a model look better than it is. */
export const TableLeakage = z.strictObject({
  acrossSplits: Severity.default('warn').describe('the values of a test row, under another key, in a row of another split'),
  columns: Severity.default('warn').describe('a column that alone gives the target'),
  share: Share.default(0.95).describe('of the errors of always saying the same, so many does such a column take away'),
});

export const PictureLeakage = z.strictObject({
  nearDuplicates: Severity.default('warn').describe('a picture that looks like a test picture, in another split'),
  distance: z.int().min(0).max(7).default(3).describe('bits of 64 in which the hashes of such pictures differ at most'),
  otherClass: Severity.default('warn').describe('pictures that look alike under two classes: one of them may have the wrong label'),
});
