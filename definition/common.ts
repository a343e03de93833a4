import { z } from 'zod';

/** A model's name: it appears in workflow ids, URLs and S3 keys. */
export const ModelName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a model name is lower case: a letter, then up to 62 letters, digits or hyphens');
export type ModelName = z.infer<typeof ModelName>;

/** A name inside a definition: a class, slice, gate, attribute or location. */
export const Label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, underscore or hyphen, at most 63');

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time as people write it: `500ms`, `30s`, `15m`, `12h`, `7d`. */
export const Duration = z.string().regex(/^\d{1,9}(ms|s|m|h|d)$/, 'a duration is a whole number and a unit: 500ms, 30s, 15m, 12h, 7d');
export type Duration = z.infer<typeof Duration>;

/** Milliseconds of a {@link Duration}. */
export function durationMs(duration: Duration): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(duration);
  if (!match) throw new RangeError(`not a duration: ${duration}`);
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

export const Email = z.email();

/** A share or probability, 0..1. */
export const Share = z.number().min(0).max(1);
