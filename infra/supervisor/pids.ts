import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readIfThere, replaceFile } from '../stack/files.js';
import type { Program } from '../stack/program.js';
import { ProcessIdentity } from './identity.js';

/** What is noted of a running program, so that a later supervisor can take it over or end it. */
const PidRecord = ProcessIdentity.extend({
  /** names what was started; a process is taken over only where the same would be started again */
  digest: z.string(),
  ready: z.boolean(),
  stopSignal: z.string(),
  graceMs: z.number(),
});
export type PidRecord = z.infer<typeof PidRecord>;

const PidsFile = z.object({ v: z.literal(1), programs: z.record(z.string(), PidRecord) });

/** Parts of the environment that decide where a program connects. */
const telling = /^(TEMPORAL_|S3_|AWS_|WEED_|PERENNIAL_|DATABASE_URL$|SMTP_URL$|PUBLIC_URL$)/;

/** Digest of all that decides what a program does. */
export function programDigest({ command, args, cwd, user, env, version }: Program): string {
  const settings = Object.entries(env).filter(([name]) => telling.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([command, args, cwd, user?.uid, settings, version])).digest('hex').slice(0, 32);
}

/** The noted processes by program name; none where the file is missing or of another version (marks in the environment find them then). */
export async function loadPids(pidsFile: string): Promise<Record<string, PidRecord>> {
  const text = await readIfThere(pidsFile);
  if (text === undefined) return {};
  try {
    return PidsFile.parse(JSON.parse(text)).programs;
  } catch {
    return {};
  }
}

export async function savePids(pidsFile: string, programs: Readonly<Record<string, PidRecord>>): Promise<void> {
  await replaceFile(pidsFile, JSON.stringify({ v: 1, programs }));
}
