import { z } from 'zod';
import { Instant } from '../contract/ref.js';
import type { Database } from './database.js';
import { parseFirst } from './values.js';

/** Where validation and test begin for rows that a model divides by time; null: never. */
export const SplitBoundaries = z.object({ validationFrom: Instant.nullable(), testFrom: Instant.nullable() });
export type SplitBoundaries = z.infer<typeof SplitBoundaries>;

const ISO = (column: string) => `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export function createSplitBoundariesStore(db: Database) {
  const get = async (model: string, rule: string) => parseFirst(SplitBoundaries, await db.query(
    `select ${ISO('validation_from')} as "validationFrom", ${ISO('test_from')} as "testFrom" from split_boundaries where model = $1 and rule = $2`, [model, rule]));
  return {
    get,

    /** The first ones stay for ever; gives those that hold. */
    async fix({ model, rule, validationFrom, testFrom }: { model: string; rule: string } & SplitBoundaries): Promise<SplitBoundaries> {
      await db.query('insert into split_boundaries (model, rule, validation_from, test_from) values ($1, $2, $3, $4) on conflict (model, rule) do nothing', [model, rule, validationFrom, testFrom]);
      return await get(model, rule) ?? { validationFrom, testFrom };
    },
  };
}
export type SplitBoundariesStore = ReturnType<typeof createSplitBoundariesStore>;
