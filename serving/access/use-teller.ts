import { randomUUID } from 'node:crypto';
import type { ApiKeyUseStore } from '../../stores/api-key-use.js';
import type { KeyLimits } from './key-limits.js';

export interface UseTellerOptions {
  readonly limits: Pick<KeyLimits, 'begin' | 'toTell' | 'heard'>;
  readonly use: Pick<ApiKeyUseStore, 'today' | 'tell' | 'forget'>;
  readonly environment: string;
  readonly everyMs?: number;
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface UseTeller {
  /** Resolves when what was used today is known, or cannot be. */
  readonly begun: Promise<void>;
  close(): Promise<void>;
}

const FORGET_EVERY_MS = 86_400_000;

/**
 * Tells PostgreSQL once a second what keys used here, where they were used, and hears what they used at other replicas; never while a request waits.
 * Counts are those of this process since the day began, so a tell that was repeated, or whose answer was lost, changes nothing.
 */
export function createUseTeller({ limits, use, environment, everyMs = 1_000, onProblem }: UseTellerOptions): UseTeller {
  const self = randomUUID();
  let toldAt = Date.now();
  let forgotAt = -Infinity;
  let telling: Promise<void> | null = null;
  let away = false;

  async function tell(): Promise<void> {
    const own = limits.toTell(Date.now() - toldAt);
    toldAt = Date.now();
    if (own.length === 0) return;
    try {
      limits.heard(own, await use.tell(self, own));
      if (toldAt - forgotAt > FORGET_EVERY_MS) {
        await use.forget();
        forgotAt = toldAt;
      }
      if (away) onProblem('the use of API keys is shared again', undefined);
      away = false;
    } catch (error) {
      if (!away) onProblem('the use of API keys cannot be shared; every replica counts its own', error);
      away = true;
    }
  }

  const begun = use.today(environment).then((used) => { limits.begin(used); }, (error: unknown) => { onProblem('what API keys used today is not known', error); });
  const once = (): Promise<void> => (telling ??= tell().finally(() => { telling = null; }));
  const timer = setInterval(() => void once(), everyMs);
  return {
    begun,
    async close() {
      clearInterval(timer);
      await telling;
      await once();
    },
  };
}
