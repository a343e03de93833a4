import { z } from 'zod';
import { CompressionReport } from '../contract/compression.js';
import { EvaluationReport, GateRecord, TestEnvironmentReport } from '../contract/evaluation.js';
import { Ref } from '../contract/ref.js';
import type { Database } from './database.js';
import { At, json, jsonOrNull } from './values.js';

const common = { run: z.string(), version: z.int().nullable(), ref: Ref.nullable(), savedAt: At };
const Offline = z.object({ ...common, kind: z.literal('offline'), report: EvaluationReport });
const Live = z.object({ ...common, kind: z.literal('live-on-same-rows'), report: EvaluationReport });
const TestEnvironment = z.object({ ...common, kind: z.literal('test-environment'), report: TestEnvironmentReport });
const Gates = z.object({ ...common, kind: z.literal('gates'), report: GateRecord });
const Compressed = z.object({ ...common, kind: z.literal('compression'), report: CompressionReport });
interface ByKind { compression: z.infer<typeof Compressed>; gates: z.infer<typeof Gates>; offline: z.infer<typeof Offline>; 'live-on-same-rows': z.infer<typeof Live>; 'test-environment': z.infer<typeof TestEnvironment> }

export type EvaluationKind = keyof ByKind;
/** An evaluation of this kind, with its report typed. */
export type StoredEvaluation<K extends EvaluationKind = EvaluationKind> = ByKind[K];
export type NewEvaluation = { [K in EvaluationKind]: Omit<StoredEvaluation<K>, 'savedAt'> }[EvaluationKind];

const parsers: { [K in EvaluationKind]: (row: unknown) => StoredEvaluation<K> } = {
  compression: (row) => Compressed.parse(row),
  gates: (row) => Gates.parse(row),
  offline: (row) => Offline.parse(row),
  'live-on-same-rows': (row) => Live.parse(row),
  'test-environment': (row) => TestEnvironment.parse(row),
};

export function createEvaluationsStore(db: Database) {
  return {
    /** One for each run and kind; the newest counts, since a run may be judged again. */
    async save({ run, kind, version, report, ref }: NewEvaluation): Promise<void> {
      await db.query(
        `insert into evaluations (run, kind, version, report, ref) values ($1, $2, $3, $4, $5)
         on conflict (run, kind) do update set version = excluded.version, report = excluded.report, ref = excluded.ref, saved_at = now()`,
        [run, kind, version, json(report), jsonOrNull(ref)]);
    },

    async get<K extends EvaluationKind>(run: string, kind: K): Promise<StoredEvaluation<K> | null> {
      const rows = await db.query('select run, kind, version, report, ref, saved_at as "savedAt" from evaluations where run = $1 and kind = $2', [run, kind]);
      return rows.length === 0 ? null : parsers[kind](rows[0]);
    },
  };
}
export type EvaluationsStore = ReturnType<typeof createEvaluationsStore>;
