import { z } from 'zod';
import type { Database } from './database.js';
import { countGuarded } from './guardrail-counts.js';
import { At, json, parseFirst, parseRows } from './values.js';

/** One monitoring pass over the predictions of `window`. */
export const Check = z.object({
  id: z.string(), model: z.string(), environment: z.string(), version: z.int(), window: z.object({ from: At, to: At }),
  predictions: z.int(), labels: z.int(), verdict: z.enum(['ok', 'findings', 'inconclusive']), report: z.record(z.string(), z.unknown()), at: At,
});
export type Check = z.infer<typeof Check>;

const Row = Check.omit({ window: true }).extend({ windowFrom: At, windowTo: At });
const toCheck = ({ windowFrom, windowTo, ...rest }: z.infer<typeof Row>): Check => ({ ...rest, window: { from: windowFrom, to: windowTo } });
const COLUMNS = 'id, model, environment, version, window_from as "windowFrom", window_to as "windowTo", predictions, labels, verdict, report, at';

export function createChecksStore(db: Database) {
  return {
    /** What guardrails did about a version's rows lately. */
    guardrails: (asked: Parameters<typeof countGuarded>[1], named: readonly string[]) => countGuarded(db, asked, named),

    /** Once for each id, but for `report.guardrails`, which a check of the same labels tells anew: rows meet guardrails also where no label comes. */
    async save(c: Omit<Check, 'at'>): Promise<void> {
      await db.query(
        `insert into checks (id, model, environment, version, window_from, window_to, predictions, labels, verdict, report)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set report = checks.report - 'guardrails' || jsonb_strip_nulls(jsonb_build_object('guardrails', excluded.report->'guardrails'))`,
        [c.id, c.model, c.environment, c.version, c.window.from, c.window.to, c.predictions, c.labels, c.verdict, json(c.report)]);
    },

    /** Newest first. */
    async list(model: string, limit = 100): Promise<Check[]> {
      return parseRows(Row, await db.query(`select ${COLUMNS} from checks where model = $1 order by at desc, id desc limit $2`, [model, limit])).map(toCheck);
    },

    async get(id: string): Promise<Check | null> {
      const row = parseFirst(Row, await db.query(`select ${COLUMNS} from checks where id = $1`, [id]));
      return row && toCheck(row);
    },
  };
}
export type ChecksStore = ReturnType<typeof createChecksStore>;
