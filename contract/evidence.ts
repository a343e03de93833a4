import { z } from 'zod';
import { AnyMetric } from '../definition/evaluation.js';
import { CompressionReport } from './compression.js';
import { ClassMistake, GateResult, QualityReport, TestEnvironmentReport, ValueMistake } from './evaluation.js';
import { FeatureReport } from './importance.js';
import { Commit, Instant, Ref, Sha256 } from './ref.js';

/** The reports an approver judges, sealed once per run; its name is the sha256 of its canonical JSON. `reports/<digest>.{json,html}`. */
export const Evidence = z.strictObject({
  v: z.literal(1),
  run: z.string(), model: z.string(), version: z.int().min(1), environment: z.string(),
  commit: Commit, snapshot: Sha256, package: Sha256, reason: z.string(),
  gates: z.array(GateResult),
  /** The figures that the definition names to judge by, the most important first; absent where it names none. */
  metrics: z.array(AnyMetric).optional(),
  evaluation: QualityReport,
  slices: z.array(z.strictObject({ name: z.string(), report: QualityReport })),
  /** On frozen test sets that the definition names; left out where it names none. */
  frozen: z.array(z.strictObject({ name: z.string(), digest: Sha256, report: QualityReport })).optional(),
  /** The variants of the network that was trained, one of which is judged here; left out where the definition names none. */
  compression: CompressionReport.optional(),
  testEnvironment: TestEnvironmentReport,
  /** What was live when this was judged; a release against another generation is judged again. */
  live: z.strictObject({ version: z.int().nullable(), generation: z.int(), evaluation: QualityReport.nullable() }),
  /** Of a table: which columns the answers hang on. */
  features: FeatureReport.optional(),
  mistakes: z.array(z.union([ClassMistake.omit({ png: true }), ValueMistake])),
  picturesRef: Ref.nullable(),
  deadline: Instant,
});
export type Evidence = z.infer<typeof Evidence>;
