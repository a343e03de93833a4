import type { Database } from './database.js';

/** What an event is of. */
export type EventKind = 'prediction' | 'refusal';

/** By the transaction that writes the rows, so that an event is of a row that is there, and none is missed. `inserted`: ids of those that were new. */
export async function enqueueEvents(tx: Pick<Database, 'query'>, kind: EventKind, rows: readonly { readonly id: string; readonly at: string; readonly environment: string }[], inserted: ReadonlySet<string>): Promise<void> {
  const due = rows.filter(({ id }) => inserted.has(id));
  if (due.length === 0) return;
  await tx.query('insert into prediction_events (id, at, environment, kind) select id, at, environment, $4 from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as due(id, at, environment)', [due.map(({ id }) => id), due.map(({ at }) => at), due.map(({ environment }) => environment), kind]);
}
