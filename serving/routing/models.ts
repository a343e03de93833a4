import type { Route } from '../../contract/route.js';
import { PerennialError } from '../../contract/errors.js';
import type { Stores } from '../../stores/index.js';
import { readProfile } from '../../runtime/read-profile.js';
import type { Runner } from '../../runtime/runner/start.js';
import type { BatcherLimits } from '../runner/batcher.js';
import { createServedVersion, type ServedVersion } from '../runner/served-version.js';
import type { LastGoodStore } from './last-good.js';
import type { Claim, MemoryBudget } from './memory-budget.js';
import { ModelHost, type Serving, type Unloading } from './model-host.js';
import type { PackageCache, PackageName } from './package-cache.js';

export interface ModelsOptions {
  readonly versions: Pick<Stores['versions'], 'get'>;
  readonly packages: PackageCache;
  readonly lastGood: LastGoodStore;
  readonly startRunner: (packageDirectory: string, signal: AbortSignal) => Promise<Runner>;
  readonly limits: BatcherLimits;
  /** Resident bytes at which a runner is killed. */
  readonly memoryLimitBytes: number;
  readonly budget: Pick<MemoryBudget, 'start'>;
  readonly onSwitched: (model: string, serving: Serving) => void;
  readonly onFailed: (route: Route, version: number | null, error: unknown) => void;
  readonly onBatch: (model: string, version: number, rows: number) => void;
  readonly onRunner: (model: string, version: number, event: string, detail: string) => void;
  readonly onUnloaded: (model: string, version: number, why: Unloading) => void;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Memory of its own that a runner needs (measured): without a network, and while it loads one, so many times the bytes of its package. */
const RUNNER_BYTES = 100 * 1024 ** 2;
const LOADING_TIMES = 4;

/** Every model of the environment on this replica. */
export function createModels(options: ModelsOptions) {
  const { lastGood, packages, onProblem } = options;
  const hosts = new Map<string, ModelHost>();
  const names = new Map<string, PackageName>();

  /** The version's package: its row, or what is remembered of it where PostgreSQL is away. Versions never change. */
  async function nameOf(model: string, version: number): Promise<PackageName> {
    const key = `${model}@${version}`;
    const known = names.get(key) ?? lastGood.get(model)?.packages[String(version)];
    if (known) return known;
    const row = await options.versions.get(model, version);
    if (!row) throw new PerennialError('version/unknown', `${key} is not registered`);
    return { packageDigest: row.packageDigest, manifest: row.manifest };
  }

  async function load(model: string, version: number, claim: Exclude<Claim, 'again'>): Promise<ServedVersion> {
    const name = await nameOf(model, version);
    const neededBytes = RUNNER_BYTES + LOADING_TIMES * (await packages.bytesOf(name));
    const startRunner = async (signal: AbortSignal): Promise<Runner> => {
      const cached = await packages.local(name.packageDigest);
      try {
        return await options.startRunner(cached ?? (await packages.fetch(name)), signal);
      } catch (error) {
        // What lies on this disk may be damaged though the stored package is not: fetch it once more.
        if (!cached || !(error instanceof PerennialError && error.code === 'package/corrupt')) throw error;
        await packages.discard(name.packageDigest);
        return options.startRunner(await packages.fetch(name), signal);
      }
    };
    const start = (again: boolean, signal: AbortSignal) => options.budget.start(`${model}@${version}`, again ? 'again' : claim, neededBytes, () => startRunner(signal));
    const served = await createServedVersion({ version, start, readProfile: async () => readProfile(await packages.fetch(name)), limits: options.limits, memoryLimitBytes: options.memoryLimitBytes, onBatch: (rows) => { options.onBatch(model, version, rows); }, onEvent: (event, detail) => options.onRunner(model, version, event, detail) });
    names.set(`${model}@${version}`, name);
    return served;
  }

  function hostOf(model: string): ModelHost {
    let host = hosts.get(model);
    if (!host) {
      host = new ModelHost({
        model,
        load: (version, claim) => load(model, version, claim),
        onFailed: options.onFailed,
        onUnloaded: (version, why) => { options.onUnloaded(model, version, why); },
        onSwitched: (serving) => {
          options.onSwitched(model, serving);
          remember(serving).catch((error: unknown) => onProblem('the last good route could not be written', error));
        },
      });
      hosts.set(model, host);
    }
    return host;
  }

  async function remember({ route }: Serving): Promise<void> {
    const known = route.arms.flatMap(({ version }) => {
      const name = names.get(`${route.model}@${version}`);
      return name ? [[String(version), { packageDigest: name.packageDigest, manifest: name.manifest }] as const] : [];
    });
    await lastGood.save({ route, packages: Object.fromEntries(known) });
    if (route.arms.length > 0) await packages.prune(new Set([...names.values()].map((name) => name.packageDigest)));
  }

  return {
    /** Takes up routes; where one fails and nothing is served yet, the last good one of an earlier generation is. */
    apply(routes: readonly Route[]): Promise<unknown> {
      return Promise.all(routes.map((route) => {
        const before = lastGood.get(route.model)?.route ?? null;
        const host = hostOf(route.model);
        if (host.serving === null && before && before.generation > route.generation) return host.apply(before); // a restored backup: never backwards
        return host.apply(route, before && before.generation < route.generation ? before : null);
      }));
    },
    /** For a start while PostgreSQL is away. */
    applyLastGood: () => Promise.all(lastGood.all().map(({ route }) => hostOf(route.model).apply(route))),
    get: (model: string): ModelHost | null => hosts.get(model) ?? null,
    all: (): ReadonlyMap<string, ModelHost> => hosts,
    /** Versions that are loaded though no route names them. */
    spares: () => [...hosts.values()].flatMap((host) => host.spares),
    /** What is really served, for the lease. Several live arms: the one with the largest share is named. */
    serving: () => [...hosts].flatMap(([model, host]) => {
      const now = host.serving;
      if (!now) return [];
      const largest = [...now.route.arms].sort((a, b) => b.share - a.share)[0];
      return [{ model, version: largest?.version ?? null, generation: now.route.generation }];
    }),
    close: () => Promise.allSettled([...hosts.values()].map((host) => host.close())),
  };
}
export type Models = ReturnType<typeof createModels>;
