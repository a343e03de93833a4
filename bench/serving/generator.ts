import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtFile } from '../../runtime/child/program-path.js';
import { LoadResult, type LoadTask } from './load-task.js';

const run = promisify(execFile);

/** One load, from a process of its own. */
export async function runLoad(task: LoadTask, folder: string, signal: AbortSignal): Promise<LoadResult> {
  const file = join(folder, `load-${randomUUID()}.json`);
  await writeFile(file, JSON.stringify(task), { mode: 0o600 });
  const { stdout } = await run(process.execPath, [builtFile('bench/serving/load.js'), file], { signal, timeout: (task.seconds + 120) * 1_000 });
  return LoadResult.parse(JSON.parse(stdout));
}
