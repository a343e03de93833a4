import { join } from 'node:path';
import type { Runner } from '../../runtime/runner/start.js';
import type { Stores } from '../../stores/index.js';
import type { ServerLimits } from '../limits.js';
import type { Metrics } from '../metrics.js';
import type { OnProblem } from '../problem.js';
import { openLastGood } from './last-good.js';
import { createLoadFailures } from './load-failures.js';
import { createMemoryBudget, type MemoryBudget } from './memory-budget.js';
import { createModels, type Models } from './models.js';
import type { PackageCache } from './package-cache.js';

export interface RoutedModelsOptions {
  readonly environment: string;
  readonly replica: string;
  readonly stores: Pick<Stores, 'versions' | 'replicaFailures'>;
  readonly packages: PackageCache;
  /** Folder for what helps a restart while PostgreSQL is away. */
  readonly scratch: string;
  readonly startRunner: (packageDirectory: string, signal: AbortSignal) => Promise<Runner>;
  readonly limits: ServerLimits;
  readonly metrics: Pick<Metrics, 'batch' | 'unloaded' | 'runner'>;
  /** What is served of a model has changed. */
  readonly onSwitched: (model: string) => void;
  readonly onProblem: OnProblem;
}

/** The models that routes name, within the memory that runners may have. Nothing is loaded before the first route. */
export async function openRoutedModels({ environment, replica, stores, packages, scratch, startRunner, limits, metrics, onSwitched, onProblem }: RoutedModelsOptions): Promise<{ readonly models: Models; readonly budget: MemoryBudget }> {
  const failures = createLoadFailures({ store: stores.replicaFailures, replica, environment, onProblem });
  const budget = createMemoryBudget({ bytes: limits.memoryBytes, spares: () => models.spares(), onProblem });
  const models: Models = createModels({
    versions: stores.versions, packages, lastGood: await openLastGood(join(scratch, 'last-good.json'), environment),
    limits, memoryLimitBytes: limits.runnerMemoryMb * 1024 ** 2, budget, onProblem, startRunner,
    onSwitched: (model, { route }) => {
      onSwitched(model);
      void failures.passed(route);
    },
    onFailed: (route, version, error) => void failures.failed(route, version, error),
    onBatch: metrics.batch,
    onUnloaded: (_model, _version, why) => { metrics.unloaded(why); },
    onRunner: (model, version, event, detail) => {
      metrics.runner(model, version, event);
      onProblem(`runner of ${model}@${version} ${event}: ${detail}`, undefined);
    },
  });
  return { models, budget };
}
