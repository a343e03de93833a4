import type { Route } from '../../contract/route.js';
import type { Stores } from '../../stores/index.js';
import type { Models } from './models.js';

export interface RecallOptions {
  readonly environment: string;
  readonly models: Pick<Models, 'all'>;
  readonly routes: Pick<Stores['routes'], 'history'>;
  readonly versions: Pick<Stores['versions'], 'get'>;
  /** True once the server is told to stop. */
  readonly stopping: () => boolean;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Routes looked back at: the live version stays the same through several, as where shares change. */
const HISTORY = 50;
const LEFT_FOR_A_REASON: readonly string[] = ['quarantined', 'rejected'];

/** The version that was live before the present one, and until when that route keeps it warm; null where there was none. Newest route first. */
export function beforeOf(history: readonly Route[]): { readonly version: number; readonly until: number } | null {
  const [present] = history;
  const live = present ? liveOf(present) : null;
  const at = history.findIndex((route) => liveOf(route) !== live);
  const [switched, before] = [history[at - 1], history[at]];
  const version = before ? liveOf(before) : null;
  return live === null || version === null || !switched ? null : { version, until: Date.parse(switched.writtenAt) + switched.keepWarmMs };
}

/**
 * A restarted server has loaded what its routes name. This loads the versions before behind them, one after another, for what is left of their time of
 * being kept warm: they stand in for runners that end, and a rollback is a switch again. What does not fit is left out.
 */
export async function recall({ environment, models, routes, versions, stopping, onProblem }: RecallOptions): Promise<void> {
  for (const [model, host] of models.all()) {
    if (stopping()) return;
    try {
      const history = await routes.history(environment, model, HISTORY);
      const before = beforeOf(history);
      if (!before || before.until <= Date.now() || history[0]?.generation !== host.serving?.route.generation) continue;
      const status = (await versions.get(model, before.version))?.status;
      if (status === undefined || LEFT_FOR_A_REASON.includes(status)) continue;
      if (await host.recall(before.version, before.until)) onProblem(`${model}@${before.version}, which was live before, is kept warm again`, undefined);
    } catch (error) {
      onProblem(`the version of ${model} that was live before is not kept warm again`, error);
    }
  }
}

const liveOf = ({ arms }: Route): number | null => arms.filter(({ role }) => role === 'live').sort((a, b) => b.share - a.share)[0]?.version ?? null;
