import { PerennialError } from '../../contract/errors.js';
import type { ResidentMemory } from '../../runtime/child/usage.js';

/** A version that is loaded though no route names it: it goes where memory is needed. */
export interface Spare {
  readonly model: string;
  readonly version: number;
  /** When it was last asked, or left the route; of `performance.now()`. */
  readonly usedAt: number;
  readonly ownBytes: number;
  /** Resolves when its process is gone. */
  unload(): Promise<void>;
}

/**
 * What a runner is started for. `route`: a version that a route names; spares make room for it, and it is refused where they cannot. `spare`: a version
 * that no route names; nothing makes room for it. `again`: a version that is loaded gets a fresh runner, at once.
 */
export type Claim = 'route' | 'spare' | 'again';

export interface MemoryBudgetOptions {
  readonly bytes: number;
  readonly spares: () => Spare[];
  readonly onProblem: (message: string, error: unknown) => void;
  readonly watchMs?: number;
}

export interface MemoryBudget {
  readonly bytes: number;
  /** Of all runners, those that are drained too; what they share is counted once. */
  readonly usedBytes: number;
  /** True while versions that routes name need more than there is. */
  readonly isShort: boolean;
  /** Runs a start with room set aside for it, and counts the runner from then on. Throws `release/memory`, before anything is started. */
  start<T extends Measured>(what: string, claim: Claim, ownBytes: number, run: () => Promise<T>): Promise<T>;
  close(): void;
}

/** A process as the budget sees it; null once it is gone. `exit`: it is gone, or let go to others that have it. */
export interface Measured {
  memory(): ResidentMemory | null;
  once(event: 'exit', listener: () => void): unknown;
}

/** Pages of files that a runner has resident, nearly all of them TensorFlow's library (measured: 277 MB); all runners share them. */
const FILE_BYTES = 280 * 1024 ** 2;
/** Usage has to fall below this share of the budget before the next shortage is told. */
const EASED_SHARE = 0.95;
/** Who was refused tries again within this time. */
const REFUSED_MS = 10_000;

/**
 * Keeps the memory of all runners within a budget, by unloading versions that no route names, least recently used first. Versions that a route names
 * are never unloaded. Memory is measured, since TensorFlow's is not in the heap; of a runner that is being started it is what was set aside for it.
 */
export function createMemoryBudget({ bytes, spares, onProblem, watchMs = 1_000 }: MemoryBudgetOptions): MemoryBudget {
  const runners = new Set<Measured>();
  const starting = new Set<{ readonly ownBytes: number; readonly ended: Promise<void> }>();
  let deciding: Promise<unknown> = Promise.resolve();
  let isExceeded = false;
  let refusedAt = -Infinity;

  const measured = (): ResidentMemory => [...runners].reduce((sum, runner) => {
    const memory = runner.memory();
    if (!memory) runners.delete(runner);
    const { ownBytes, fileBytes } = memory ?? { ownBytes: 0, fileBytes: 0 };
    return { ownBytes: sum.ownBytes + ownBytes, fileBytes: Math.max(sum.fileBytes, fileBytes) };
  }, { ownBytes: 0, fileBytes: 0 });
  const used = (): number => {
    const { ownBytes, fileBytes } = measured();
    return ownBytes + fileBytes;
  };
  /** Of what neither runners have nor starts are promised. */
  const free = (): number => {
    const { ownBytes, fileBytes } = measured();
    return bytes - ownBytes - Math.max(fileBytes, FILE_BYTES) - [...starting].reduce((sum, start) => sum + start.ownBytes, 0);
  };
  const oldest = (): Spare | undefined => spares().filter(({ ownBytes }) => ownBytes > 0).sort((a, b) => a.usedAt - b.usedAt)[0];

  async function unload(spare: Spare, why: string): Promise<void> {
    onProblem(`${spare.model}@${spare.version}, which no route names, is unloaded: ${why}`, undefined);
    await spare.unload();
  }

  async function makeRoom(what: string, claim: Exclude<Claim, 'again'>, needed: number): Promise<void> {
    for (;;) {
      const now = free();
      if (needed <= now) return;
      const spare = oldest();
      const isEnough = claim === 'route' && needed <= now + spares().reduce((sum, { ownBytes }) => sum + ownBytes, 0);
      if (spare && isEnough) await unload(spare, `${what} needs its memory`);
      else if (starting.size > 0) await Promise.race([...starting].map(({ ended }) => ended)); // what was set aside may be more than it takes
      else {
        if (claim === 'route') refusedAt = performance.now();
        throw new PerennialError('release/memory', `${what} needs about ${mib(needed)}, and ${mib(Math.max(0, now))} of the ${mib(bytes)} for runners are free${claim === 'route' ? ' beside the versions that routes name' : ''}`);
      }
    }
  }

  /** One decision at a time: each sees what the one before set aside. */
  function decide<T>(step: () => Promise<T>): Promise<T> {
    const result = deciding.then(step);
    deciding = result.catch(() => undefined);
    return result;
  }

  let isWatching = false;
  async function watch(): Promise<void> {
    if (isWatching) return;
    isWatching = true;
    try {
      for (let spare = oldest(); spare && used() > bytes; spare = oldest()) await unload(spare, `runners have grown to ${mib(used())} of ${mib(bytes)}`);
      const now = used();
      if (!isExceeded && now > bytes) onProblem(`runners need ${mib(now)} of memory, more than the ${mib(bytes)} that they may have, and routes name every version that is loaded`, undefined);
      if (isExceeded && now <= bytes * EASED_SHARE) onProblem(`runners need ${mib(now)} of memory, less than the ${mib(bytes)} that they may have`, undefined);
      isExceeded = now > bytes * (isExceeded ? EASED_SHARE : 1);
    } catch (error) {
      onProblem('the memory of runners could not be kept within its budget', error);
    } finally {
      isWatching = false;
    }
  }
  const timer = setInterval(() => void watch(), watchMs);
  timer.unref();

  return {
    bytes,
    get usedBytes() { return used(); },
    get isShort() { return isExceeded || performance.now() - refusedAt < REFUSED_MS; },
    async start(what, claim, ownBytes, run) {
      let end: () => void = () => undefined;
      const promised = { ownBytes, ended: new Promise<void>((resolve) => { end = resolve; }) };
      if (claim === 'again') starting.add(promised);
      else {
        await decide(async () => {
          await makeRoom(what, claim, ownBytes);
          starting.add(promised);
        });
      }
      try {
        const runner = await run();
        runners.add(runner);
        runner.once('exit', () => runners.delete(runner));
        return runner;
      } finally {
        starting.delete(promised);
        end();
      }
    },
    close: () => { clearInterval(timer); },
  };
}

const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2).toLocaleString('en')} MiB`;
