import type { FittedFeature } from '../../contract/features.js';

export type TimePart = Extract<FittedFeature, { kind: 'time' }>['part'];

/** What comes round again, and after how many; years and instants go on. */
const PERIODS = { month: 12, day: 31, weekday: 7, hour: 24, minute: 60 } as const;

export function periodOf(part: TimePart): number | null {
  return part === 'instant' || part === 'year' ? null : PERIODS[part];
}

/** A part of a time in UTC, counted from 0 (years: as they are called; instants: seconds since 1970; Monday is 0). Hours and minutes have fractions. */
export function partOf(time: string, part: TimePart): number {
  const date = new Date(time);
  switch (part) {
    case 'instant': return date.getTime() / 1000;
    case 'year': return date.getUTCFullYear();
    case 'month': return date.getUTCMonth();
    case 'day': return date.getUTCDate() - 1;
    case 'weekday': return (date.getUTCDay() + 6) % 7;
    case 'hour': return date.getUTCHours() + date.getUTCMinutes() / 60;
    case 'minute': return date.getUTCMinutes() + date.getUTCSeconds() / 60;
  }
}
