import { z } from 'zod';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 in lower-case hex');
export type Sha256 = z.infer<typeof Sha256>;

/** A pointer to stored bytes: what travels in payloads instead of data. `uri` is `s3://<bucket>/<key>`. */
export const Ref = z.strictObject({ uri: z.string().startsWith('s3://'), sha256: Sha256, bytes: z.int().min(0) });
export type Ref = z.infer<typeof Ref>;

export const Commit = z.string().regex(/^[0-9a-f]{40}$/, 'a full 40-digit commit id');
export type Commit = z.infer<typeof Commit>;

/** ISO 8601 with an offset; a time without one is refused. */
export const Instant = z.iso.datetime({ offset: true });
export type Instant = z.infer<typeof Instant>;

/** `car-truck@3` as its parts. */
export const VersionName = z.string().regex(/^[a-z][a-z0-9-]{0,62}@[1-9]\d{0,8}$/, 'a version is written model@number, for example car-truck@3');
export function parseVersionName(text: string): { model: string; version: number } {
  const parsed = VersionName.parse(text);
  const at = parsed.lastIndexOf('@');
  return { model: parsed.slice(0, at), version: Number(parsed.slice(at + 1)) };
}
