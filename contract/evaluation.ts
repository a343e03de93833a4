import { z } from 'zod';
import { FeatureReport } from './importance.js';
import { Sha256 } from './ref.js';

export const ClassMetrics = z.strictObject({ class: z.string(), precision: z.number().nullable(), recall: z.number().nullable(), f1: z.number().nullable(), support: z.int() });

/** Lower and upper bound of an estimate. */
const Bounds = z.tuple([z.number(), z.number()]);

/** Classification report over one set of rows. `confusion[actual][predicted]`, in the order of `classes`. Macro averages are over classes with support. */
export const ClassificationReport = z.strictObject({
  n: z.int(), accuracy: z.number().nullable(), precision: z.number().nullable(), recall: z.number().nullable(), f1: z.number().nullable(),
  classes: z.array(z.string()), perClass: z.array(ClassMetrics), confusion: z.array(z.array(z.int())),
});
export type ClassificationReport = z.infer<typeof ClassificationReport>;

/**
 * Figures of a regression over one set of rows, in the target's unit (`mape` and `r2` have none); null where they are not defined. `bias` is
 * the mean of predicted minus actual. `intervals`: 95%, of those that are means over rows.
 */
export const RegressionReport = z.strictObject({
  task: z.literal('regression'), n: z.int(),
  mae: z.number().nullable(), rmse: z.number().nullable(), medianAbsoluteError: z.number().nullable(), mape: z.number().nullable(), r2: z.number().nullable(), bias: z.number().nullable(),
  intervals: z.strictObject({ mae: Bounds.optional(), rmse: Bounds.optional(), mape: Bounds.optional() }),
});
export type RegressionReport = z.infer<typeof RegressionReport>;

/** How good a model is over one set of rows; a report without a task is of classes. */
export const QualityReport = z.union([ClassificationReport, RegressionReport]);
export type QualityReport = z.infer<typeof QualityReport>;

export function isRegression(report: QualityReport): report is RegressionReport {
  return 'task' in report;
}

export const GateResult = z.strictObject({
  gate: z.string(), description: z.string(), value: z.number().nullable(), n: z.int(),
  interval: z.tuple([z.number(), z.number()]).optional(), threshold: z.number(), verdict: z.enum(['pass', 'fail', 'inconclusive']), reason: z.string(),
});
export type GateResult = z.infer<typeof GateResult>;

/** A row the model got most confidently wrong. */
export const ClassMistake = z.strictObject({ key: z.string(), actual: z.string(), predicted: z.string(), probability: z.number(), png: z.string().describe('base64').optional() });
export type ClassMistake = z.infer<typeof ClassMistake>;
/** A row whose prediction is farthest from the truth. */
export const ValueMistake = z.strictObject({ key: z.string(), actual: z.number(), predicted: z.number() });
export type ValueMistake = z.infer<typeof ValueMistake>;
export const Mistake = z.union([ClassMistake, ValueMistake]);
export type Mistake = z.infer<typeof Mistake>;

/** Result of evaluating one version or candidate on the test split. `correct` is one bit per test row in snapshot order (base64), for paired comparison. */
export const EvaluationReport = z.strictObject({
  v: z.literal(1), snapshot: Sha256,
  overall: QualityReport,
  slices: z.array(z.strictObject({ name: z.string(), report: QualityReport })),
  mistakes: z.array(Mistake).max(24),
  /** Of a candidate on a table: which columns its answers hang on. */
  features: FeatureReport.optional(),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;

/** Rows two models were both asked: `both`, `onlyCandidate`, `onlyLive`, `neither` right; for the paired comparison on a slice. */
export const PairedCounts = z.strictObject({ slice: z.string(), both: z.int(), onlyCandidate: z.int(), onlyLive: z.int(), neither: z.int() });
export type PairedCounts = z.infer<typeof PairedCounts>;

/**
 * Absolute errors of two models on the same rows: `difference` is the mean of candidate's minus live's, `deviation` the standard deviation
 * (n − 1) of that difference over the rows, `live` the live version's mean absolute error.
 */
export const PairedErrors = z.strictObject({ slice: z.string(), n: z.int(), difference: z.number(), deviation: z.number().min(0), live: z.number().min(0) });
export type PairedErrors = z.infer<typeof PairedErrors>;
/** Two models on the same rows of a slice, as their task compares them. */
export const Paired = z.union([PairedCounts, PairedErrors]);
export type Paired = z.infer<typeof Paired>;

/** What was seen in the test environment, through HTTP. */
export const TestEnvironmentReport = z.strictObject({
  v: z.literal(1), passed: z.boolean(),
  checks: z.array(z.strictObject({ check: z.string(), passed: z.boolean(), detail: z.string() })),
  /** Over the rows that were asked: the share that was right; of a regression null, and the mean absolute error instead. */
  accuracy: z.number().nullable(), mae: z.number().optional(), rows: z.int(),
  latencyMs: z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() }),
  load: z.strictObject({ seconds: z.number(), connections: z.int(), requests: z.int(), errors: z.int(), requestsPerSecond: z.number() }),
});
export type TestEnvironmentReport = z.infer<typeof TestEnvironmentReport>;

/** What the gates said, and against what was live then. */
export const GateRecord = z.strictObject({
  v: z.literal(1),
  gates: z.array(GateResult),
  paired: z.array(Paired),
  live: z.strictObject({ version: z.int().nullable(), generation: z.int(), evaluation: QualityReport.nullable() }),
});
export type GateRecord = z.infer<typeof GateRecord>;
