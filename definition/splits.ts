import { z } from 'zod';
import { Share } from './common.js';

const shares = { train: Share, validation: Share.default(0), test: Share };
const sumToOne = ({ train, validation, test }: { train: number; validation: number; test: number }) => Math.abs(train + validation + test - 1) <= 1e-9;
const SUM = 'shares that sum to 1';

/** A time with an offset, or a date: its midnight in UTC. */
const From = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

const ByKey = z.strictObject({ byKey: z.strictObject(shares).refine(sumToOne, SUM) });
const ByGroup = z.strictObject({ byGroup: z.strictObject({ column: z.string().min(1), ...shares }).refine(sumToOne, SUM) });
const ByTime = z.strictObject({
  byTime: z.union([
    z.strictObject({ column: z.string().min(1), validationFrom: From.optional(), testFrom: From })
      .refine(({ validationFrom, testFrom }) => validationFrom === undefined || Date.parse(validationFrom) < Date.parse(testFrom), 'a `validationFrom` before `testFrom`'),
    z.strictObject({ column: z.string().min(1), ...shares }).refine(sumToOne, SUM).refine(({ train }) => train > 0, 'a share of training rows above 0'),
  ]),
});

/**
 * Which split a source's rows belong to. `byKey` and `byGroup` send each row by a stable hash of its key, or of its value of a
 * column; `byTime` by where its time lies. None of them looks at other rows, so no row ever moves: shares of `byTime` become
 * boundaries at the first snapshot, and stay.
 */
export const SplitRule = z.union([z.enum(['train', 'validation', 'test']), ByKey, ByGroup, ByTime]);
export type SplitRule = z.infer<typeof SplitRule>;

/** Shares that turn into boundaries. */
export type TimeShares = { readonly column: string; readonly train: number; readonly validation: number; readonly test: number };

/** The column of the rows that decides about their split besides the key. */
export function columnOfSplit(rule: SplitRule): string | null {
  if (typeof rule === 'string' || 'byKey' in rule) return null;
  return 'byGroup' in rule ? rule.byGroup.column : rule.byTime.column;
}

/** The shares of a division by time whose boundaries are not said; null for every other rule. */
export function timeShares(rule: SplitRule): TimeShares | null {
  return typeof rule === 'object' && 'byTime' in rule && 'train' in rule.byTime ? rule.byTime : null;
}
