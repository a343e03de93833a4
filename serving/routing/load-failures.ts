import { PerennialError } from '../../contract/errors.js';
import type { Route } from '../../contract/route.js';
import type { Stores } from '../../stores/index.js';
import type { OnProblem } from '../problem.js';

export interface LoadFailuresOptions {
  readonly store: Pick<Stores['replicaFailures'], 'record' | 'clear'>;
  readonly replica: string;
  readonly environment: string;
  readonly onProblem: OnProblem;
}

/** Tells PostgreSQL of versions that this replica could not load, so that whoever waits for the release knows; and that they are loaded after all. */
export function createLoadFailures({ store, replica, environment, onProblem }: LoadFailuresOptions) {
  /** Generation of the last failure that was told, by model. */
  const told = new Map<string, number>();
  return {
    async failed({ model, generation }: Pick<Route, 'model' | 'generation'>, version: number | null, error: unknown): Promise<void> {
      const code = error instanceof PerennialError ? error.code : 'release/load-failed';
      const message = `${version === null ? model : `${model}@${version}`} could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
      onProblem(message, error);
      told.set(model, generation);
      try {
        await store.record({ replica, environment, model, generation, version, code, message });
      } catch (cause) {
        onProblem('the failure could not be reported', cause);
      }
    },
    async passed({ model, generation }: Pick<Route, 'model' | 'generation'>): Promise<void> {
      if (told.get(model) !== generation) return;
      told.delete(model);
      try {
        await store.clear({ replica, environment, model, generation });
      } catch (error) {
        onProblem('a passed failure could not be cleared', error);
      }
    },
  };
}
