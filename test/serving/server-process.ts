import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { choosePorts } from '../../infra/stack/ports.js';
import { builtFile } from '../../runtime/child/program-path.js';
import { runnersOf, type Fixture } from './support.js';

/** In the server's process: what is in use once its garbage is collected, to whoever asks. Resident memory says little: it stays with the process for the next large body. */
const TELLS_MEMORY = `data:text/javascript,${encodeURIComponent(`process.on('message', (asked) => {
  if (asked !== 'memory') return;
  gc();
  setTimeout(() => { // buffers go with what held them, a collection later
    gc();
    const { heapUsed, external } = process.memoryUsage();
    process.send({ usedBytes: heapUsed + external });
  }, 50);
}); process.channel?.unref()`)}`;

/** Bytes of JavaScript's objects and buffers that the server holds. */
export async function usedBytes(server: ChildProcess): Promise<number> {
  server.send('memory');
  const [answer] = await once(server, 'message') as [{ usedBytes: number }];
  return answer.usedBytes;
}

/** What is kept of a server's own log. */
const MOST_SAID = 4_000;

/** A free port for a server of an environment. */
export async function freePort(environment: string): Promise<number> {
  return (await choosePorts(['port'], undefined, { home: environment })).port;
}

/** The server as the supervisor starts it: a process of its own, through the fixture's proxy to PostgreSQL. Whoever starts it ends it. */
export async function startServerProcess(fixture: Fixture, environment: string, port: number, replica = '1'): Promise<ChildProcess> {
  const name = `PERENNIAL_SERVER_${environment.toUpperCase().replaceAll('-', '_')}_PORT`;
  const child = fork(builtFile('workers/server.js'), ['--environment', environment, '--replica', replica], {
    env: { ...process.env, ...fixture.stack.env, PERENNIAL_HOME: join(fixture.folder, 'home'), DATABASE_URL: fixture.proxyUrl, S3_BUCKET: fixture.bucket, PERENNIAL_SERVER_DRAIN_MS: '1000', [name]: String(port) }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: ['--expose-gc', '--import', TELLS_MEMORY],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-MOST_SAID); }); // who is not read blocks
  const ended = once(child, 'exit').then(([code]) => { throw new Error(`the server ended with code ${String(code)}: ${said}`); });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
  ended.catch(() => undefined); // its later end is its starter's
  if (JSON.stringify(message) !== '{"ready":true}') throw new Error(`the server said ${JSON.stringify(message)}`);
  return child;
}

/** What a server's processes hold: theirs, their resident bytes, and what they have open. */
export interface Held { readonly pids: readonly number[]; readonly bytes: readonly number[]; readonly open: readonly number[] }

/** Of the server's process first, then of its runners. */
export function heldBy(pid: number): Held {
  const pids = [pid, ...runnersOf(pid)];
  return {
    pids,
    bytes: pids.map((one) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${one}/status`, 'latin1'))?.[1]) * 1_024),
    open: pids.map((one) => readdirSync(`/proc/${one}/fd`).length),
  };
}

/** The sum of a counter's series that match, from the server's metrics. */
export async function counted(url: string, name: string, labels = /(?:)/): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(`perennial_${name}{`) && labels.test(line)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
