import { describe, expect, test } from 'vitest';
import { durationMs } from '../../definition/common.js';
import { formatDuration, parseDuration, parseInstant } from '../../domain/times.js';

describe('an instant', () => {
  /** The first four: RFC 3339, section 5.8. */
  test.each([
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'], ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'], ['1985-04-12t23:20:50z', '1985-04-12T23:20:50.000Z'],
    ['2026-11-21T09:30+01:00', '2026-11-21T08:30:00.000Z'], ['2024-02-29T00:00:00.123456789Z', '2024-02-29T00:00:00.123Z'], [' 2026-11-21T09:30:00Z ', '2026-11-21T09:30:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(new Date(parseInstant(text)).toISOString()).toBe(expected);
  });

  test('without an offset is refused, with what to add', () => {
    expect(() => parseInstant('2026-11-21T09:30:00')).toThrow('"2026-11-21T09:30:00" has no offset: add Z for UTC, or one like +01:00');
  });

  test.each(['2026-11-21', 'yesterday', '', '2026-11-21 09:30:00Z', '1700000000', '2026-11-21T09:30:00+0100'])('%j is no time', (text) => {
    expect(() => parseInstant(text)).toThrow(/is not a time: write it as/);
  });

  test.each(['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:61Z', '2026-01-01T00:00:00+24:00'])('%j does not exist', (text) => {
    expect(() => parseInstant(text)).toThrow(/exist/);
  });
});

describe('a duration', () => {
  test('is read as the definition\'s schema reads it', () => {
    for (const text of ['0ms', '500ms', '30s', '15m', '12h', '7d', '999999999d']) expect(parseDuration(text)).toBe(durationMs(text));
    for (const text of ['', '5', '5 s', '-5s', '1.5h', '1w', 'h', '1000000000s']) expect(() => parseDuration(text)).toThrow(RangeError);
  });

  test.each([[0, '0ms'], [0.4, '0ms'], [250, '250ms'], [1_000, '1s'], [1_250, '1s 250ms'], [65_400, '1m 5s'], [3_599_999, '1h'], [5_400_000, '1h 30m'], [86_399_999, '1d'], [604_800_000, '7d'], [183_600_000, '2d 3h'], [-65_000, '-1m 5s']])('of %d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('that is no number is refused', () => {
    expect(() => formatDuration(NaN)).toThrow(RangeError);
  });
});
