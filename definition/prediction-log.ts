import { z } from 'zod';
import { Label, Share } from './common.js';
import { typedColumns } from './columns.js';
import type { Column } from './columns.js';
import type { Monitoring } from './operation.js';
import { taskOf, type Target } from './target.js';
import type { Contradiction } from './task-contradictions.js';

/** What the log keeps of predictions. That one was made, when and by which version, is always kept. */
export const PredictionLog = z.strictObject({
  inputs: z.strictObject({
    /** Of the requests; which ones follows from their ids. */
    share: Share.default(1),
    /** Of one row; the inputs of a request with a larger one are not kept. */
    maximumBytes: z.int().min(0).default(32 * 1024 ** 2),
    /** Columns whose values are never kept. */
    redact: z.array(Label).max(2000).default([]),
  }).prefault({}),
  /** What monitoring needs, the class with its probability, or the value, is kept in any case but where it is redacted. */
  outputs: z.strictObject({
    /** Of the requests; which ones follows from their ids, as for inputs. */
    share: Share.default(1),
    /** Of one row's probabilities as JSON. */
    maximumBytes: z.int().min(0).default(1024 ** 2),
    /** Outputs that are never kept. */
    redact: z.array(z.enum(['class', 'probabilities', 'value'])).max(3).default([]),
  }).prefault({}),
  /** What becomes of requests when PostgreSQL was away for so long that there is no more room. */
  whenFull: z.enum(['refuse', 'drop']).default('refuse'),
});
export type PredictionLog = z.infer<typeof PredictionLog>;

interface Described { readonly kind: 'table' | 'images'; readonly columns?: readonly Column[]; readonly sources: readonly { readonly kind: string }[] }

/** Outputs that the task does not have, a class that its probabilities would tell, and answers that a threshold needs. */
export function loggedOutputContradictions(target: Target, { thresholds }: Pick<Monitoring, 'thresholds'>, { outputs: { redact } }: PredictionLog): Contradiction[] {
  const own = taskOf(target) === 'regression' ? ['value'] : ['class', 'probabilities'];
  const path = ['predictionLog', 'outputs', 'redact'] as const;
  const found = redact.flatMap((name, index): Contradiction[] => (own.includes(name) ? [] : [{ path: [...path, index], expected: `an output of this definition (${own.join(', ')})` }]));
  if (redact.includes('class') && !redact.includes('probabilities')) found.push({ path, expected: '`probabilities` as well, since they tell the class' });
  if (thresholds.length > 0 && redact.some((name) => name !== 'probabilities')) found.push({ path, expected: 'at most `probabilities`, since `monitoring.thresholds` are judged by what was answered' });
  return found;
}

/** Columns that are none, and inputs that are asked back as training rows though the log does not hold them whole. */
export function logContradictions({ kind, columns = [], sources }: Described, { inputs: { redact, share, maximumBytes } }: PredictionLog): Contradiction[] {
  const names = typedColumns(columns).map(({ name }) => name);
  const found = redact.flatMap((name, index): Contradiction[] => {
    const path = ['predictionLog', 'inputs', 'redact', index];
    if (kind === 'images') return [{ path, expected: 'nothing: pictures have no columns; `share: 0` keeps none of them' }];
    return names.includes(name) ? [] : [{ path, expected: `a column of this definition (${names.slice(0, 20).join(', ')}), of which ${name} is none` }];
  });
  if (!sources.some((source) => source.kind === 'labelled-predictions')) return found;
  if (redact.length > 0) found.push({ path: ['predictionLog', 'inputs', 'redact'], expected: 'no columns, since labelled predictions are a source of training rows and need all of them' });
  if (share === 0 || maximumBytes === 0) found.push({ path: ['predictionLog', 'inputs', share === 0 ? 'share' : 'maximumBytes'], expected: 'more than 0, since labelled predictions are a source of training rows' });
  return found;
}
