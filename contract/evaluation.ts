import { z } from 'zod';
import { Sha256 } from './ref.js';

export const ClassMetrics = z.strictObject({ class: z.string(), precision: z.number().nullable(), recall: z.number().nullable(), f1: z.number().nullable(), support: z.int() });

/** Classification report over one set of rows. `confusion[actual][predicted]`, in the order of `classes`. Macro averages are over classes with support. */
export const ClassificationReport = z.strictObject({
  n: z.int(), accuracy: z.number().nullable(), precision: z.number().nullable(), recall: z.number().nullable(), f1: z.number().nullable(),
  classes: z.array(z.string()), perClass: z.array(ClassMetrics), confusion: z.array(z.array(z.int())),
});
export type ClassificationReport = z.infer<typeof ClassificationReport>;

export const GateResult = z.strictObject({
  gate: z.string(), description: z.string(), value: z.number().nullable(), n: z.int(),
  interval: z.tuple([z.number(), z.number()]).optional(), threshold: z.number(), verdict: z.enum(['pass', 'fail', 'inconclusive']), reason: z.string(),
});
export type GateResult = z.infer<typeof GateResult>;

/** A row the model got most confidently wrong. */
export const Mistake = z.strictObject({ key: z.string(), actual: z.string(), predicted: z.string(), probability: z.number(), png: z.string().describe('base64').optional() });
export type Mistake = z.infer<typeof Mistake>;

/** Result of evaluating one version or candidate on the test split. `correct` is one bit per test row in snapshot order (base64), for paired comparison. */
export const EvaluationReport = z.strictObject({
  v: z.literal(1), snapshot: Sha256,
  overall: ClassificationReport,
  slices: z.array(z.strictObject({ name: z.string(), report: ClassificationReport })),
  mistakes: z.array(Mistake).max(24),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;

/** Rows two models were both asked: `both`, `onlyCandidate`, `onlyLive`, `neither` right; for the paired comparison on a slice. */
export const PairedCounts = z.strictObject({ slice: z.string(), both: z.int(), onlyCandidate: z.int(), onlyLive: z.int(), neither: z.int() });
export type PairedCounts = z.infer<typeof PairedCounts>;

/** What was seen in the test environment, through HTTP. */
export const TestEnvironmentReport = z.strictObject({
  v: z.literal(1), passed: z.boolean(),
  checks: z.array(z.strictObject({ check: z.string(), passed: z.boolean(), detail: z.string() })),
  accuracy: z.number().nullable(), rows: z.int(),
  latencyMs: z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() }),
  load: z.strictObject({ seconds: z.number(), connections: z.int(), requests: z.int(), errors: z.int(), requestsPerSecond: z.number() }),
});
export type TestEnvironmentReport = z.infer<typeof TestEnvironmentReport>;

/** What the gates said, and against what was live then. */
export const GateRecord = z.strictObject({
  v: z.literal(1),
  gates: z.array(GateResult),
  paired: z.array(PairedCounts),
  live: z.strictObject({ version: z.int().nullable(), generation: z.int(), evaluation: ClassificationReport.nullable() }),
});
export type GateRecord = z.infer<typeof GateRecord>;
