import { PerennialError } from '../contract/errors.js';
import type { ErrorCode } from '../contract/errors.js';

/** Longest wait for one call to PostgreSQL, S3 or Temporal, so that a request is answered within 5 s. */
export const CALL_MS = 4_000;

const PARTS = { 'database/unavailable': 'PostgreSQL', 'temporal/unavailable': 'Temporal', 'storage/unavailable': 'the S3 server' } as const satisfies Partial<Record<ErrorCode, string>>;
export type PartAway = keyof typeof PARTS;

/** The work's result, or after `ms` the error that names the part which did not answer. The work itself is not stopped. */
export async function within<T>(work: Promise<T>, code: PartAway, ms = CALL_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new PerennialError(code, `${PARTS[code]} did not answer within ${ms / 1000} s`)); }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Callable = (...args: unknown[]) => unknown;

/** The same object, every promise of its methods (one or two levels deep) bounded by {@link within}. */
export function boundCalls<T extends object>(target: T, code: PartAway, ms = CALL_MS): T {
  return new Proxy(target, {
    get(object, name): unknown {
      const value: unknown = Reflect.get(object, name);
      if (typeof value === 'function') {
        return (...args: unknown[]): unknown => {
          const result = (value as Callable).apply(object, args);
          return result instanceof Promise ? within(result, code, ms) : result;
        };
      }
      return typeof value === 'object' && value !== null ? boundCalls(value, code, ms) : value;
    },
  });
}
