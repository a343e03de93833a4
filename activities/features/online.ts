import type { FeatureView } from '../../definition/feature-view.js';
import { entityHash } from '../../domain/feature-rows.js';
import type { Stores } from '../../stores/index.js';
import type { Duck } from '../data/duckdb.js';
import { microsecondSql } from '../data/event-time.js';
import { cellsOf, keyColumns, keysSql, valueColumns, valuesSql } from './columns.js';
import { findNewest } from './store-files.js';

const ROWS_AT_ONCE = 2_000;

/** Writes the newest of the new rows of each entity to PostgreSQL. Safe to run twice: an older event never takes the place of a newer one. */
export async function storeOnline(duck: Duck, { featureRows }: Stores, { view, digest, signal }: { view: FeatureView; digest: string; signal: AbortSignal }): Promise<void> {
  const count = await findNewest(duck, view);
  const [keys, values] = [keyColumns(view), valueColumns(view)];
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    signal.throwIfAborted();
    const rows = (await duck.connection.runAndReadAll(`select ${microsecondSql('event_time')}, ${microsecondSql('known_time')}, ${keysSql(view)}, ${valuesSql(view)} from newest where place >= ${from} and place < ${from + ROWS_AT_ONCE} order by place`)).getRows();
    await featureRows.upsert(view.name, digest, rows.map(([eventTime, knownTime, ...cells]) => ({
      entity: entityHash(cellsOf(keys, cells)), cells: JSON.stringify(cellsOf(values, cells.slice(keys.length))), eventTime: String(eventTime), knownTime: String(knownTime),
    })));
  }
}
