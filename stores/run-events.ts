import { z } from 'zod';
import { RunEvent } from '../contract/run.js';
import type { Database } from './database.js';
import { json, parseRows } from './values.js';

/** NOTIFY channel; the payload is the run's id. */
export const RUN_EVENTS_CHANNEL = 'run_events';

/** A stored event: it has its id, by which a reader goes on. */
export type StoredRunEvent = RunEvent & { id: number };
const Row = RunEvent.extend({ id: z.int(), step: RunEvent.shape.step.nullable() });

/** Events of runs; part of the runs store. */
export function createRunEventsStore(db: Database) {
  return {
    /**
     * Appends once for each (run, eventId) and notifies. Returns whether it was new.
     * Appends to one run stand in a line until they are committed, so a reader who goes on after the last id never misses one.
     */
    async appendEvent(event: RunEvent): Promise<boolean> {
      const rows = await db.query(
        `with line as materialized (select pg_advisory_xact_lock(hashtextextended('run_events/' || $1::text, 0))),
           appended as (
             insert into run_events (run, event_id, at, kind, step, message, data)
             select $1, $2, $3, $4, $5, $6, $7 from line
             on conflict (run, event_id) do nothing returning run)
         select pg_notify('${RUN_EVENTS_CHANNEL}', run) from appended`,
        [event.run, event.eventId, event.at, event.kind, event.step ?? null, event.message, json(event.data)]);
      return rows.length > 0;
    },

    /** Events with an id above `afterId`, in order; at most `limit`. */
    async events(run: string, afterId = 0, limit = 1_000): Promise<StoredRunEvent[]> {
      const rows = await db.query(
        `select id, run, event_id as "eventId", at, kind, step, message, data from run_events where run = $1 and id > $2 order by id limit $3`,
        [run, afterId, limit]);
      return parseRows(Row, rows).map(({ step, ...event }) => (step === null || step === undefined ? event : { ...event, step }));
    },
  };
}
