import { z } from 'zod';
import { Duration, Email, Label, Share } from './common.js';
import { ErrorMetric, GainMetric } from './evaluation.js';
import { Guardrail } from './guardrails.js';

/** Who decides is the environment's policy; a definition may only shorten the wait or ask for more people. */
export const Approval = z.strictObject({
  deadline: Duration.default('7d'),
  reminderAfter: Duration.default('2d'),
  /** Approve without a person when every gate passed and the environment's policy allows it. */
  automatic: z.boolean().default(false),
});
export type Approval = z.infer<typeof Approval>;

export const Release = z.strictObject({
  environment: Label.default('production'),
  strategy: z.enum(['switch']).default('switch'),
  keepWarm: Duration.default('15m'),
});
export type Release = z.infer<typeof Release>;

/** Who gets explanations of predictions: all callers, only principals with a token, or nobody. */
export const ExplanationsTo = z.enum(['all', 'principals', 'none']);
export type ExplanationsTo = z.infer<typeof ExplanationsTo>;

/** What prediction servers give out. */
export const Serving = z.strictObject({
  /** Decimals of probabilities and values, for callers with an API key. */
  decimals: z.int().min(0).max(15).optional(),
  /** Limits within which predictions are given as they are. */
  guardrails: z.array(Guardrail).max(20).optional(),
  /** Attributions tell more of a model than answers: without a word of it only principals get them. */
  explanations: ExplanationsTo.optional(),
});
export type Serving = z.infer<typeof Serving>;

/** A limit on live quality. `retrain` asks the governor for a new turn of the loop besides mailing the alert. */
const Action = z.enum(['alert', 'retrain']).default('alert');
export const Threshold = z.union([
  z.strictObject({ name: Label, metric: GainMetric, class: Label.optional(), below: Share, action: Action }),
  z.strictObject({ name: Label, metric: ErrorMetric, above: z.number().min(0), action: Action }),
]);
export type Threshold = z.infer<typeof Threshold>;

export const Monitoring = z.strictObject({
  every: Duration.default('1d'),
  /** A check judges the newest labelled predictions of the live version; with fewer it is inconclusive. */
  minimumLabels: z.int().min(1).default(2000),
  thresholds: z.array(Threshold).default([]),
});
export type Monitoring = z.infer<typeof Monitoring>;

export const Retraining = z.strictObject({
  every: Duration.optional(),
  onThreshold: z.boolean().default(true),
  cooldown: Duration.default('1d'),
  debounce: Duration.default('0ms'),
  /** What a newer request does to a run that is not yet waiting for approval. */
  newer: z.enum(['supersede', 'queue']).default('supersede'),
  budget: z.strictObject({ runs: z.int().min(1).default(20), per: Duration.default('7d') }).prefault({}),
});
export type Retraining = z.infer<typeof Retraining>;

export const Alerts = z.strictObject({ to: z.array(Email).default([]) });
