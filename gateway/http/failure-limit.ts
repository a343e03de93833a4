/** Failed authentications by address within a minute. */
export interface FailureLimit {
  count(address: string): void;
  exceeded(address: string): boolean;
}

const WINDOW_MS = 60_000;
const ADDRESSES_MOST = 10_000;

/** Thrown for an address that failed too often; answered 429 with `Retry-After`. */
export class TooMany extends Error {
  override readonly name = 'TooMany';
  readonly retryAfterSeconds = WINDOW_MS / 1000;
  constructor() {
    super('too many requests from this address failed to authenticate');
  }
}

export function createFailureLimit(most = 60): FailureLimit {
  const windows = new Map<string, { since: number; failures: number }>();
  const current = (address: string) => {
    const window = windows.get(address);
    return window && Date.now() - window.since < WINDOW_MS ? window : undefined;
  };
  return {
    count(address) {
      const window = current(address);
      if (window) window.failures += 1;
      else {
        if (windows.size >= ADDRESSES_MOST) windows.clear();
        windows.set(address, { since: Date.now(), failures: 1 });
      }
    },
    exceeded: (address) => (current(address)?.failures ?? 0) > most,
  };
}
