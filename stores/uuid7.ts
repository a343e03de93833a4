const DAY_MS = 86_400_000;
const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7/i;

/** Beyond the year 9999 it is no time of ours, and has no ISO form that PostgreSQL reads. */
const LATEST = 253_370_764_800_000;

const msOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** When a UUIDv7 was made; null of any other text. */
export function timeOf(id: string): string | null {
  const ms = V7.test(id) ? msOf(id) : Infinity;
  return ms > LATEST ? null : new Date(ms).toISOString();
}

/**
 * A span of time that holds the predictions of these ids, a day wide on both sides, so that few partitions are looked into.
 * A UUIDv7 begins with its time in ms (RFC 9562); null where one is of another kind.
 */
export function spanOf(ids: readonly string[]): { from: string; to: string } | null {
  if (ids.length === 0 || !ids.every((id) => V7.test(id))) return null;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const id of ids) {
    const ms = msOf(id);
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  if (last > LATEST) return null;
  return { from: new Date(first - DAY_MS).toISOString(), to: new Date(last + DAY_MS).toISOString() };
}
