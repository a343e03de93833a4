const DAY_MS = 86_400_000;
const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7/i;

/**
 * A span of time that holds the predictions of these ids, a day wide on both sides, so that few partitions are looked into.
 * A UUIDv7 begins with its time in ms (RFC 9562); null where one is of another kind.
 */
export function spanOf(ids: readonly string[]): { from: string; to: string } | null {
  if (ids.length === 0 || !ids.every((id) => V7.test(id))) return null;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const id of ids) {
    const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  // Beyond the year 9999 it is no time of ours, and has no ISO form that PostgreSQL reads.
  if (last > 253_370_764_800_000) return null;
  return { from: new Date(first - DAY_MS).toISOString(), to: new Date(last + DAY_MS).toISOString() };
}
