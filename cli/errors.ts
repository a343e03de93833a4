import { PerennialError } from '../contract/errors.js';

/** What the command line tells of a failure: what and where, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(readonly code: string, message: string, readonly next: string, readonly details?: Readonly<Record<string, unknown>>) {
    super(message);
  }
}

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Told { readonly code: string; readonly message: string; readonly next: string; readonly details?: Readonly<Record<string, unknown>> }

export function tell(error: unknown): Told {
  if (error instanceof CommandError) return { code: error.code, message: error.message, next: error.next, ...(error.details ? { details: error.details } : {}) };
  if (error instanceof PerennialError) return { code: error.code, message: error.message, next: error.next };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'ConfigError') return { code: 'configuration', message, next: 'Correct the named variables, or start the embedded parts with `perennial up`.' };
  return { code: 'unexpected', message, next: 'Run `perennial doctor`; `perennial status` shows which part is away.' };
}
