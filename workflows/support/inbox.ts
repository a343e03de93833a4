/** Largest message a handler keeps, in characters of JSON; a larger one is kept as a marker and refused on admission. */
const MAX_CHARACTERS = 16_384;
/** Most messages that wait at a time; the rest are counted, so that a flood cannot grow the history's state. */
const MAX_WAITING = 256;

/** Messages wait here until the main function admits them through an activity: handlers trust nothing and never throw. */
export class Inbox<T> {
  private readonly waiting: T[] = [];
  dropped = 0;

  put(message: T): void {
    if (this.waiting.length >= MAX_WAITING) { this.dropped += 1; return; }
    this.waiting.push(message);
  }
  take(): T | undefined { return this.waiting.shift(); }
  get size(): number { return this.waiting.length; }
}

/** The payload, or `null` when it cannot be JSON or is larger than any honest one. */
export function capped(payload: unknown): unknown {
  try {
    const text = JSON.stringify(payload) as string | undefined;
    return text !== undefined && text.length <= MAX_CHARACTERS ? payload : null;
  } catch {
    return null;
  }
}

/** Field of an untrusted payload when it is a string of at most 512 characters. */
export function text(payload: unknown, field: string): string | undefined {
  const value = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' && value.length <= 512 ? value : undefined;
}
