import { z } from 'zod';
import { GuardrailOutcome } from '../contract/guarded.js';
import type { GuardrailCounts } from '../contract/guardrail-counts.js';
import type { Database } from './database.js';
import { At, parseRows } from './values.js';

const Counted = z.object({ guardrail: z.string(), action: GuardrailOutcome, rows: z.int() });
const Span = z.object({ from: At, to: At, predictions: z.int() });

interface Asked { readonly model: string; readonly environment: string; readonly version: number; readonly withinMs: number }

/** Rows of a version that met guardrails within the last `withinMs`, as the log of predictions and that of refusals have them. `named`: guardrails that are told also where no row met them. */
export async function countGuarded(db: Pick<Database, 'query'>, { model, environment, version, withinMs }: Asked, named: readonly string[]): Promise<GuardrailCounts> {
  const [span] = parseRows(Span, await db.query(
    `select from_at as "from", to_at as "to", (select count(*) from predictions where model = $1 and environment = $2 and version = $3 and at >= from_at and at < to_at) as predictions
     from (select date_trunc('milliseconds', now()) - $4 * interval '1 millisecond' as from_at, date_trunc('milliseconds', now()) as to_at) as span`, [model, environment, version, withinMs]));
  if (!span) throw new TypeError('a count has no row');
  const counted = parseRows(Counted, await db.query(
    `select trigger->>'guardrail' as guardrail, trigger->>'action' as action, count(*) as rows from (
       select jsonb_array_elements(guarded->'triggers') as trigger from predictions where model = $1 and environment = $2 and version = $3 and at >= $4 and at < $5 and guarded is not null
       union all
       select jsonb_array_elements(guardrails) as trigger from refusals where model = $1 and environment = $2 and version = $3 and at >= $4 and at < $5 and guardrails is not null
     ) as met group by 1, 2`, [model, environment, version, span.from, span.to]));
  const sum = (guardrail: string, of: (action: GuardrailOutcome) => boolean) => counted.reduce((total, one) => total + (one.guardrail === guardrail && of(one.action) ? one.rows : 0), 0);
  const names = [...new Set([...named, ...counted.map(({ guardrail }) => guardrail).sort()])];
  return {
    ...span,
    guardrails: names.map((guardrail) => ({
      guardrail, replaced: sum(guardrail, (action) => action !== 'reject' && action !== 'flag'), flagged: sum(guardrail, (action) => action === 'flag'), rejected: sum(guardrail, (action) => action === 'reject'),
    })),
  };
}
