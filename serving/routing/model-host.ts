import { isDeepStrictEqual } from 'node:util';
import type { Arm, Route } from '../../contract/route.js';
import { PerennialError } from '../../contract/errors.js';
import { ServingError } from '../errors.js';
import type { ServedVersion } from '../runner/served-version.js';
import type { Claim, Spare } from './memory-budget.js';

/** What this replica serves of a model: a route that took effect, with the versions its arms name. */
export interface Serving { readonly route: Route; readonly arms: readonly Replaceable[] }
export interface ServedArm { readonly arm: Arm; readonly served: ServedVersion }
/** An arm, and the one that answers where its runner is gone. */
interface Replaceable extends ServedArm { readonly standIn: ServedArm | null }
/** Where a request goes. */
export interface Choice extends Replaceable { readonly route: Route }

/** Which arm of a route is asked: any, by the shares; that of a version; or those of a role. */
export type Which = number | { readonly role: Arm['role'] } | null;

export interface ModelHostOptions {
  readonly model: string;
  /** Fetches, verifies, warms a version. Its errors say why a version cannot be served. */
  readonly load: (version: number, claim: Exclude<Claim, 'again'>) => Promise<ServedVersion>;
  readonly onSwitched: (serving: Serving) => void;
  /** The route could not take effect; what was served before goes on. */
  readonly onFailed: (route: Route, version: number | null, error: unknown) => void;
  /** The version's process is gone. */
  readonly onUnloaded: (version: number, why: Unloading) => void;
}

/** Why a version that no route names was unloaded: its time of being kept warm is over, or its memory was needed. */
export type Unloading = 'keep-warm' | 'memory';

interface Loaded {
  readonly served: Promise<ServedVersion>;
  /** The same, once it is there. */
  loaded: ServedVersion | null;
  /** Since when no route names it, and when it goes. */
  leaving: { readonly since: number; readonly timer: NodeJS.Timeout } | null;
}

const RETRY_MS = [250, 500, 1_000, 2_000, 5_000] as const;
/** How often a failure that may pass is tried again before it is reported; it is tried on after that. */
const REPORT_AFTER = 3;

/**
 * One model's versions on this replica. A new route is loaded beside the present one and takes over at once when it is warm;
 * the one before is kept warm for the route's time. Generations only go up.
 */
export class ModelHost {
  #serving: Serving | null = null;
  #target: { readonly route: Route } | null = null;
  /** What was live before the present route, until its time of being kept warm is over. */
  #before: ServedArm | null = null;
  readonly #pool = new Map<number, Loaded>();
  readonly #unloading = new Set<Promise<void>>();
  #closed = false;

  constructor(private readonly options: ModelHostOptions) {}

  get serving(): Serving | null { return this.#serving; }
  /** True while a route is on its way in and nothing is served yet. */
  get loading(): boolean { return !this.#serving?.arms.length && (this.#target?.route.arms.length ?? 0) > 0; }
  /** Every version that has a process, or gets one again. */
  get loaded(): ServedVersion[] { return [...this.#pool.values()].flatMap(({ loaded }) => loaded ?? []); }
  /** Versions that are loaded though no route names them. */
  get spares(): Spare[] {
    return [...this.#pool].flatMap(([version, { loaded, leaving }]) => (loaded && leaving
      ? [{ model: this.options.model, version, usedAt: Math.max(loaded.usedAt, leaving.since), ownBytes: loaded.memory?.ownBytes ?? 0, unload: () => this.#unload(version, 'memory') }] : []));
  }

  /**
   * Takes up a route; an older generation than one already seen is ignored. Resolves when it is served, failed, overtaken or known to wait for memory.
   * `fallback` is served where it fails and nothing else is.
   */
  async apply(route: Route, fallback: Route | null = null): Promise<void> {
    if (this.#closed || route.generation <= Math.max(this.#target?.route.generation ?? 0, this.#serving?.route.generation ?? 0)) return;
    const target = { route };
    this.#target = target;
    await new Promise<void>((resolve) => { void this.#bringIn(target, fallback, resolve).then(resolve); });
  }

  async #bringIn(target: { readonly route: Route }, fallback: Route | null, onShort: () => void): Promise<void> {
    const { route } = target;
    for (let attempt = 0; this.#target === target; attempt += 1) {
      try {
        await this.#switchTo(target);
        return;
      } catch (error) {
        if (this.#target !== target) return;
        const { version = null, cause } = error instanceof LoadError ? error : { cause: error };
        const mayPass = cause instanceof PerennialError && cause.retryable;
        if (!mayPass || attempt === REPORT_AFTER) this.options.onFailed(route, version, cause);
        if (this.#serving === null && fallback && (attempt === 0)) await this.#serveFallback(fallback, target);
        if (!mayPass) return;
        if (attempt === REPORT_AFTER && cause.code === 'release/memory') onShort(); // other models are served meanwhile
        await new Promise((wake) => setTimeout(wake, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]).unref());
      }
    }
  }

  /** Versions that are served, or on their way in where nothing is served yet. `ready`: false while one is loaded or started again. */
  versions(which: Which): { readonly version: number; readonly ready: boolean }[] {
    const arms = this.#serving?.arms.length ? this.#serving.arms : (this.#target?.route.arms ?? []).map((arm) => ({ arm, served: null }));
    return arms.filter(({ arm }) => isAsked(arm, which)).map(({ arm, served }) => ({ version: arm.version, ready: served?.ready ?? false }));
  }

  /** An arm of the present route by its share, of those that are asked for. */
  choose(which: Which): Choice {
    const serving = this.#serving;
    if (!serving || serving.arms.length === 0) {
      if (this.loading) throw new ServingError(409, `Model ${this.options.model} is being loaded.`, { retryAfter: 1 });
      throw new ServingError(404, `Model ${this.options.model} is not served here.`);
    }
    const arms = serving.arms.filter(({ arm }) => isAsked(arm, which));
    let draw = Math.random() * arms.reduce((sum, { arm }) => sum + arm.share, 0);
    const chosen = arms.find(({ arm }) => (draw -= arm.share) < 0) ?? arms[arms.length - 1];
    if (!chosen) throw new ServingError(404, `${typeof which === 'number' ? `Version ${which}` : `A ${which?.role ?? 'live'} version`} of ${this.options.model} is not served here.`);
    const isStandInThere = typeof which !== 'number' && this.#pool.has(chosen.standIn?.arm.version ?? 0);
    return { ...chosen, route: serving.route, standIn: isStandInThere ? chosen.standIn : null };
  }

  /**
   * Loads what was live before the present route behind it, where there is memory to spare, and keeps it warm until a time (in ms since 1970). False where
   * that is not wanted: it is newer (a rollback left it for a reason), here already, or the route changes meanwhile. Throws what a load throws.
   */
  async recall(version: number, until: number): Promise<boolean> {
    const serving = this.#serving;
    const isOlder = serving?.arms.some(({ arm }) => arm.role === 'live' && arm.version > version) ?? false;
    if (this.#closed || !serving || !isOlder || this.#before || this.#pool.has(version)) return false;
    const served = await this.#acquire(version, 'spare').catch((error: unknown) => { throw error instanceof LoadError ? error.cause : error; });
    const isWanted = this.#serving === serving && !this.#closed;
    if (isWanted) {
      const before: ServedArm = { arm: { version, role: 'live', share: 1 }, served };
      this.#before = before;
      this.#serving = { route: serving.route, arms: serving.arms.map((one) => ({ ...one, standIn: standInOf(one, serving.arms, before) })) };
    }
    this.#releaseUnused(Math.max(0, until - Date.now()));
    return isWanted;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#target = null;
    await Promise.allSettled([...this.#unloading, ...[...this.#pool.values()].map(async ({ served, leaving }) => {
      clearTimeout(leaving?.timer);
      await (await served).close();
    })]);
    this.#pool.clear();
  }

  async #switchTo(target: { readonly route: Route }): Promise<void> {
    const { route } = target;
    const arms = await Promise.all(route.arms.map(async (arm) => {
      if (arm.role === 'shadow') throw new LoadError(arm.version, new PerennialError('release/load-failed', 'this server does not mirror traffic: a shadow arm cannot be served'));
      return { arm, served: await this.#acquire(arm.version) };
    }));
    if (this.#target !== target) return this.#releaseUnused(0); // overtaken while it loaded
    const replaced = this.#serving?.arms.find(({ arm }) => arm.role === 'live');
    if (replaced && !arms.some(({ arm }) => arm.version === replaced.arm.version)) this.#before = replaced;
    this.#serving = { route, arms: arms.map((one) => ({ ...one, standIn: standInOf(one, arms, this.#before) })) };
    this.#releaseUnused(route.keepWarmMs);
    this.options.onSwitched(this.#serving);
  }

  async #serveFallback(route: Route, target: object): Promise<void> {
    try {
      const arms = await Promise.all(route.arms.map(async (arm) => ({ arm, served: await this.#acquire(arm.version) })));
      if (this.#serving !== null || this.#target !== target) return this.#releaseUnused(0);
      this.#serving = { route, arms: arms.map((one) => ({ ...one, standIn: null })) };
      this.options.onSwitched(this.#serving);
    } catch (error) {
      this.options.onFailed(route, null, error instanceof LoadError ? error.cause : error);
    }
  }

  /** The version, warm already or loaded now. */
  async #acquire(version: number, claim: Exclude<Claim, 'again'> = 'route'): Promise<ServedVersion> {
    let entry = this.#pool.get(version);
    clearTimeout(entry?.leaving?.timer);
    if (entry) entry.leaving = null;
    else {
      entry = { served: this.options.load(version, claim), loaded: null, leaving: null };
      this.#pool.set(version, entry);
    }
    try {
      return (entry.loaded = await entry.served);
    } catch (error) {
      if (this.#pool.get(version) === entry) this.#pool.delete(version);
      throw new LoadError(version, error);
    }
  }

  /** Lets go, after a time, of versions that neither the present route nor the one on its way names. */
  #releaseUnused(keepWarmMs: number): void {
    const needed = new Set([...(this.#serving?.route.arms ?? []), ...(this.#target?.route.arms ?? [])].map((arm) => arm.version));
    for (const [version, entry] of this.#pool) {
      if (needed.has(version) || entry.leaving) continue;
      const timer = setTimeout(() => void this.#unload(version, 'keep-warm'), Math.min(keepWarmMs, 2 ** 31 - 1));
      entry.leaving = { since: performance.now(), timer: timer.unref() };
    }
  }

  /** Finishes what the version has in its hands and ends its process. Nothing new comes to it: it is nobody's stand-in any more. */
  #unload(version: number, why: Unloading): Promise<void> {
    const entry = this.#pool.get(version);
    this.#pool.delete(version);
    clearTimeout(entry?.leaving?.timer);
    if (this.#before?.arm.version === version) this.#before = null;
    const unloading = (async () => {
      const served = await entry?.served.catch(() => null); // one that never loaded has nothing to close
      await served?.close();
      if (served) this.options.onUnloaded(version, why);
    })();
    this.#unloading.add(unloading);
    return unloading.finally(() => this.#unloading.delete(unloading));
  }
}

const isAsked = (arm: Arm, which: Which): boolean => which === null || (typeof which === 'number' ? arm.version === which : arm.role === which.role);

/** For a canary the live arm; for a live version the one that it replaced. Never a newer one: a rollback left that for a reason. */
function standInOf({ arm, served }: ServedArm, arms: readonly ServedArm[], before: ServedArm | null): ServedArm | null {
  const other = arm.role === 'canary' ? arms.find((one) => one.arm.role === 'live') : before;
  if (!other || other.arm.version >= arm.version) return null;
  return isDeepStrictEqual(other.served.signature, served.signature) ? other : null;
}

class LoadError extends Error {
  constructor(readonly version: number, override readonly cause: unknown) {
    super(`version ${version} cannot be loaded`, { cause });
  }
}
