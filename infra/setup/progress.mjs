import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './errors.mjs';

const BAR = 24;
const MB = 1e6;
/** Before this much is done, a time left would be a wild guess. */
const TELLING_SHARE = 0.02;

/** Bytes under a folder that is being written to. */
async function bytesUnder(folder) {
  let sum = 0;
  try {
    for (const item of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (item.isFile()) sum += (await lstat(join(item.parentPath ?? item.path, item.name))).size;
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  return sum;
}

/** One line: names, bar, share, rate, time left. */
export function renderLine({ names, done, total, seconds }) {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const rate = seconds > 0 ? done / seconds : 0;
  const left = share > TELLING_SHARE ? `${Math.ceil((total - done) / rate)} s left` : 'starting';
  const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.');
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${(done / MB).toFixed(0)} of ${(total / MB).toFixed(0)} MB  ${(rate / MB).toFixed(0)} MB/s  ${left}  ${names.join(', ')}`;
}

/**
 * Shows how far the parts are: on a terminal one line that is redrawn, elsewhere a plain line when a part starts and ends
 * and every 30 s in between.
 * @param {NodeJS.WriteStream} stream
 * @param {number} total bytes of work of all parts
 */
export function createProgress(stream, total) {
  const running = new Map();
  const began = Date.now();
  let finished = 0;
  let done = 0;
  const live = stream.isTTY === true;
  const measure = async () => {
    let sum = finished;
    for (const [part, { folder }] of running) sum += Math.min(part.workBytes * 0.99, await bytesUnder(folder));
    done = Math.max(done, sum);
  };
  const draw = async () => {
    await measure();
    if (running.size === 0) return;
    const names = [...running.keys()].map((part) => part.title);
    const line = renderLine({ names, done, total, seconds: (Date.now() - began) / 1000 });
    if (live) stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    else stream.write(`${line}\n`);
  };
  const timer = setInterval(() => void draw(), live ? 500 : 30_000);
  timer.unref();
  const say = (line) => stream.write(live ? `\r\x1b[2K${line}\n` : `${line}\n`);
  return {
    say,
    start(part, folder) {
      running.set(part, { folder, at: Date.now() });
      say(`${part.title} ${part.version}: fetching about ${(part.fetchBytes / MB).toFixed(0)} MB`);
    },
    end(part) {
      const seconds = (Date.now() - (running.get(part)?.at ?? Date.now())) / 1000;
      running.delete(part);
      finished += part.workBytes;
      say(`${part.title} ${part.version}: there after ${seconds.toFixed(1)} s`);
    },
    fail(part) {
      running.delete(part);
      say(`${part.title} ${part.version}: failed`);
    },
    close() {
      clearInterval(timer);
      if (live) stream.write('\r\x1b[2K');
    },
  };
}
