const INSTANT = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2})?$/;

/**
 * Milliseconds since 1970 of an ISO 8601 time with an offset (`2026-11-21T09:30:00+01:00`, or `Z`); digits below a millisecond are dropped.
 * @throws RangeError for a time without an offset, which would mean something else on every machine, for one that
 * the calendar does not have, and for anything else, with what to write instead.
 */
export function parseInstant(text: string): number {
  const match = INSTANT.exec(text.trim());
  if (!match) throw new RangeError(`"${text}" is not a time: write it as 2026-11-21T09:30:00Z or 2026-11-21T09:30:00+01:00`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const zone = match[8];
  if (zone === undefined) throw new RangeError(`"${text}" has no offset: add Z for UTC, or one like +01:00`);
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  const back = new Date(local);
  // Date.UTC carries 30 February over into March: what does not come back the same was no date.
  const real = back.getUTCFullYear() === year && back.getUTCMonth() === month - 1 && back.getUTCDate() === day && back.getUTCHours() === hour && back.getUTCMinutes() === minute && back.getUTCSeconds() === second;
  if (!real) throw new RangeError(`"${text}" is not a time that exists`);
  return local - offsetMs(zone, text);
}

function offsetMs(zone: string, text: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (hours > 23 || minutes > 59) throw new RangeError(`"${text}" has an offset that does not exist: ${zone}`);
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000], ['ms', 1]] as const;

/**
 * Milliseconds of a duration as a definition writes it (`500ms`, `30s`, `15m`, `12h`, `7d`). The schema in `definition/`
 * has checked it by then; this reads it where schemas are out of reach, in a workflow.
 * @throws RangeError for anything else
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS.find(([name]) => name === match?.[2]);
  if (!match || !unit) throw new RangeError(`"${text}" is not a duration: write it as 500ms, 30s, 15m, 12h or 7d`);
  return Number(match[1]) * unit[1];
}

/** A length of time for people, in its two largest units: `2d 3h`, `1m 5s`, `250ms`. Rounded to what is shown. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) throw new RangeError(`${ms} milliseconds is not a length of time`);
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const largest = UNITS.findIndex(([, size]) => ms >= size);
  const [, smallest] = UNITS[Math.min(largest === -1 ? 4 : largest + 1, 4)] ?? ['ms', 1];
  let rest = Math.round(ms / smallest) * smallest;
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole}${name}`);
  }
  return parts.join(' ') || '0ms';
}
