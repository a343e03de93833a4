import { PerennialError } from './errors.js';

const CODES = new Set(['ENOSPC', 'EDQUOT']);
/** DuckDB and TensorFlow give no code; DuckDB stops by itself before its spill takes the last of a disk. */
const WORDS = /no space left on device|disk quota exceeded|max_temp_directory_size/i;

/** `storage/full` where an error says that a disk has no room; null for any other. `what` was being written, unless the error names the path itself. */
export function diskFull(error: unknown, what: string): PerennialError | null {
  if (error instanceof PerennialError || !(error instanceof Error)) return null;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (!(code !== undefined && CODES.has(code)) && !WORDS.test(message)) return null;
  return new PerennialError('storage/full', `the disk is full: ${path ?? what} could not be written`, {}, { cause: error });
}
