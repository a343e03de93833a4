import { z } from 'zod';
import type { KnownCaller } from './auth.js';
import { openStateFile } from './state-file.js';

const Caller = z.strictObject({ principal: z.string(), scopes: z.array(z.string()), checkedAt: z.number() });
const CallersFile = z.strictObject({ v: z.literal(1), callers: z.record(z.string(), Caller) });

const MAXIMUM = 1_000;
const REWRITE_AFTER_MS = 10 * 60_000;

/** Callers by the sha256 of their token (32 random bytes: it cannot be guessed back), so that a restart without PostgreSQL lets them in. */
export async function openKnownCallers(path: string, onProblem: (message: string, error: unknown) => void) {
  const file = await openStateFile(path, CallersFile, { v: 1, callers: {} });
  const { callers } = file.value;
  return {
    known: new Map<string, KnownCaller>(Object.entries(callers)),
    remember(digest: string, caller: KnownCaller): void {
      if (caller.checkedAt - (callers[digest]?.checkedAt ?? 0) < REWRITE_AFTER_MS) return;
      callers[digest] = { principal: caller.principal, scopes: [...caller.scopes], checkedAt: caller.checkedAt };
      const oldest = Object.entries(callers).sort(([, a], [, b]) => b.checkedAt - a.checkedAt).slice(MAXIMUM);
      for (const [forgotten] of oldest) delete callers[forgotten];
      file.save().catch((error: unknown) => onProblem('the known callers could not be written', error));
    },
    /** A token that PostgreSQL no longer knows. */
    forget(digest: string): void {
      if (!(digest in callers)) return;
      delete callers[digest];
      file.save().catch((error: unknown) => onProblem('the known callers could not be written', error));
    },
  };
}
