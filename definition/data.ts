import { z } from 'zod';
import { Column } from './columns.js';
import { Label } from './common.js';
import { Comparison } from './comparison.js';
import { Expectation } from './expectations.js';
import { Feature } from './features.js';
import { PictureLeakage, TableLeakage } from './leakage.js';
import { PersonalData } from './personal.js';
import { ResizeMethod } from './resize.js';
import { Source } from './sources.js';
import { ClassTarget, Target } from './target.js';
import { ViewUse } from './view-use.js';

export { Source } from './sources.js';
export { SplitRule } from './splits.js';

/** An expectation on the rows; `block` stops the run, `warn` is reported. */
export const DataCheck = z.strictObject({
  minimumRowsPerClass: z.int().min(1).default(10).describe('training rows of each class; of a regression, all of them'),
  duplicates: z.enum(['block', 'warn', 'drop']).default('drop'),
  conflictingLabels: z.enum(['block', 'warn', 'drop']).default('block').describe('the same picture under two classes'),
  unreadable: z.enum(['block', 'warn', 'drop']).default('block'),
});

const Level = z.number().min(0).max(255);

export const ImageCheck = DataCheck.extend({
  blank: z.enum(['block', 'warn', 'drop']).optional().describe('a picture of one colour; left out, they are reported'),
  brightness: z.strictObject({ from: Level.default(0), to: Level.default(255), severity: z.enum(['block', 'warn', 'drop']).default('warn') })
    .refine(({ from, to }) => from < to, 'a range from less to more').optional().describe('the mean of a picture\'s values; left out, it may be any'),
});

export const ImageData = z.strictObject({
  kind: z.literal('images'),
  image: z.strictObject({ name: Label.default('image'), height: z.int().min(1).max(4096), width: z.int().min(1).max(4096), channels: z.union([z.literal(1), z.literal(3)]).default(3), resize: ResizeMethod.optional().describe('pictures of other sizes are brought to this one; left out, they are refused'), normalise: z.enum(['unit', 'standard']).optional().describe('what the network sees: values over 255, or less the mean of all training values and over their deviation; left out, the first') }),
  target: ClassTarget,
  sources: z.array(Source).min(1),
  checks: ImageCheck.prefault({}),
  comparison: Comparison.optional().describe('what may differ from the snapshot before; left out, nothing is compared'),
  leakage: PictureLeakage.optional().describe('what training must not have seen; left out, it is looked for all the same'),
});

export const TableData = z.strictObject({
  kind: z.literal('table'),
  columns: z.array(Column).min(1).max(2000).describe('input columns, in order'),
  features: z.array(Feature).min(1).max(5000).optional().describe('what the network gets; a column that only crosses name, or none, gets the default of its type'),
  views: z.array(ViewUse).min(1).max(20).optional().describe('columns that come from feature views'),
  target: Target,
  sources: z.array(Source).min(1),
  checks: DataCheck.prefault({}),
  personalData: PersonalData.optional().describe('texts are looked through for personal data; left out, they are not'),
  leakage: TableLeakage.optional().describe('what training must not have seen; left out, it is looked for all the same'),
  expectations: z.array(Expectation).max(1000).optional().describe('what the rows have to be like'),
  comparison: Comparison.optional().describe('what may differ from the snapshot before; left out, nothing is compared'),
});

export const Data = z.discriminatedUnion('kind', [ImageData, TableData]);
export type Data = z.infer<typeof Data>;
