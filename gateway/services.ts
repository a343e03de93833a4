import type { Artifacts } from '../stores/artifacts.js';
import type { Stores } from '../stores/index.js';
import type { GatewayConfig, GatewayDeps } from './deps.js';
import { createFailureLimit, type FailureLimit } from './http/failure-limit.js';
import { createRunFeed, type RunFeed } from './run-feed.js';
import { createWorkflows, type Workflows } from './workflows.js';
import { boundCalls } from './within.js';

/** What handlers work with: every call bounded in time, so that a part that is away is named instead of waited for. */
export interface Services {
  readonly config: GatewayConfig;
  readonly stores: Stores;
  readonly artifacts: Artifacts;
  /** As `artifacts`, for files of any size: given the time that these take. */
  readonly files: Artifacts;
  readonly workflows: Workflows;
  readonly runFeed: RunFeed;
  /** Failed authentications, of tokens and hooks alike. */
  readonly failures: FailureLimit;
  readonly log: GatewayDeps['log'];
}

const FILE_MS = 120_000;

export function createServices(deps: GatewayDeps): Services {
  return {
    config: deps.config,
    stores: boundCalls(deps.stores, 'database/unavailable'),
    artifacts: boundCalls(deps.artifacts, 'storage/unavailable'),
    files: boundCalls(deps.artifacts, 'storage/unavailable', FILE_MS),
    workflows: createWorkflows(deps.temporal),
    runFeed: createRunFeed(deps.listen, deps.log),
    failures: createFailureLimit(),
    log: deps.log,
  };
}
