import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { loadNativeParts } from '../../infra/native.js';
import { childEnvironment } from '../../runtime/child/environment.js';
import { builtFile } from '../../runtime/child/program-path.js';

/** Starts the bare server on a model's folder; it uses as many TensorFlow threads as our runner, which is all cores. */
export async function startBare(directory: string, signal: AbortSignal): Promise<{ url: string; pid: number; close(): Promise<void> }> {
  const child = spawn(process.execPath, [builtFile('bench/serving/bare-server.js'), directory], { env: childEnvironment({ home: tmpdir(), tfjsNode: loadNativeParts().tfjsNode }), stdio: ['ignore', 'pipe', 'inherit'], signal });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([once(lines, 'line').then(([text]) => String(text)), ended.then(() => { throw new Error('the bare server ended before it listened'); })]);
  const url = /^ready (\S+)$/.exec(line)?.[1];
  if (url === undefined || child.pid === undefined) throw new Error(`the bare server said: ${line}`);
  return {
    url, pid: child.pid,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
