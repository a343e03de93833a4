import { z } from 'zod';
import { readIfThere, replaceFile } from './files.js';

const Port = z.int().min(1).max(65_535);

/**
 * `stack.json`: what the supervisor chose and what it gave to its programs, so that every other command finds the same parts.
 * It holds passwords inside addresses and is written with mode 0600.
 */
export const StackFile = z.object({
  v: z.literal(1),
  /** configuration variables (`DATABASE_URL`, …) in force for this home; see `infra/config.ts` */
  env: z.record(z.string(), z.string()),
  /** chosen once for each part and kept while they are free */
  ports: z.record(z.string(), z.record(z.string(), Port)),
  /** where PostgreSQL's files are, once they were created */
  postgresDataDir: z.string().optional(),
});
export type StackFile = z.infer<typeof StackFile>;

/** The stack file, or an empty one where there is none yet. A damaged file is an error: it knows where the database lies. */
export async function loadStackFile(path: string): Promise<StackFile> {
  const text = await readIfThere(path);
  return text === undefined ? { v: 1, env: {}, ports: {} } : parseStackFile(path, text);
}

export function parseStackFile(path: string, text: string): StackFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: restore it, or remove it to choose new ports`, { cause: error });
  }
  const parsed = StackFile.safeParse(value);
  if (!parsed.success) throw new Error(`${path} does not have the expected form: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export async function saveStackFile(path: string, stack: StackFile): Promise<void> {
  await replaceFile(path, `${JSON.stringify(stack, null, 2)}\n`);
}
