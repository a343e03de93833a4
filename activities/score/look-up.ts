import { PerennialError } from '../../contract/errors.js';
import type { JoinedView } from '../../contract/joined-view.js';
import type { Signature } from '../../contract/package.js';
import { describeColumn } from '../../domain/cells.js';
import type { Cell } from '../../domain/cells.js';
import { entityHash, isStale } from '../../domain/feature-rows.js';
import { signatureColumns } from '../../domain/signature-cells.js';
import type { FeatureRowsStore } from '../../stores/feature-rows.js';
import { isUnreadable, mayHold, stagedType, stagedValue } from '../data/column-sql.js';
import { identifier } from '../data/duckdb.js';
import type { Duck } from '../data/duckdb.js';
import { cellsOf } from '../features/columns.js';
import { inputError, refuseRows } from './refusal.js';

/** Values of views are those of one instant, `at` (milliseconds since 1970), for all rows of a job. */
export interface LookingUp { readonly rows: Pick<FeatureRowsStore, 'find' | 'upkeep'>; readonly at: number; readonly signal: AbortSignal }

const KEYS_AT_ONCE = 2_000;
const keyName = (view: number, key: number) => `"key ${key} of view ${view}"`;
const columnOf = ({ input, type }: JoinedView['keys'][number]) => ({ name: input, type, nullable: false });

/**
 * The views whose columns the file leaves out, to be looked up by the key that it holds instead.
 * @throws PerennialError `score/input` where it holds neither, or only some of a view's columns: taken for missing values, they would give answers that look right
 */
export function viewsToLookUp(input: string, { lookups = [] }: Signature, types: ReadonlyMap<string, string>): JoinedView[] {
  return lookups.filter(({ view, keys, columns }) => {
    const absent = columns.filter((column) => !types.has(column.input)).map((column) => column.input);
    const lacking = keys.filter((key) => !types.has(key.input)).map((key) => key.input);
    if (absent.length === 0) return false;
    if (absent.length === columns.length && lacking.length === 0) return true;
    throw inputError(input, `columns of the feature view ${view} are missing: ${absent.join(', ')}; a file that is scored holds all of them, or none and ${keys.map((key) => key.input).join(', ')}, by which they are looked up`, { missing: absent });
  });
}

/** SQL of the keys by which views are looked up: more columns of the table `input`, until {@link lookUpViews} drops them. */
export function keysToLookUp(input: string, views: readonly JoinedView[], types: ReadonlyMap<string, string>): string[] {
  return views.flatMap(({ keys }, place) => keys.map((key, index) => {
    const type = types.get(key.input) ?? 'VARCHAR';
    const column = columnOf(key);
    if (!mayHold(column, type)) throw inputError(input, `the column ${key.input} is ${type}; it has to hold ${describeColumn(column)}`, { column: key.input, type });
    return `${stagedValue(column, identifier(key.input), type)} as ${keyName(place, index)}`;
  }));
}

/**
 * Fills the views' columns of the table `input`: the newest row of each key, missing where there is none or it is older than the time for which
 * values hold, as the prediction server does for a request of this instant.
 * @throws PerennialError `score/input` for rows without a key, or of which nothing is known that the model needs; `features/stale`
 */
export async function lookUpViews(duck: Duck, input: string, views: readonly JoinedView[], signature: Signature, looking: LookingUp): Promise<void> {
  for (const [place, lookup] of views.entries()) {
    for (const [index, key] of lookup.keys.entries()) {
      const name = keyName(place, index);
      await refuseRows(duck, input, key.input, `${name} is null or ${isUnreadable(columnOf(key), name)}`, `does not hold ${describeColumn(columnOf(key))}`);
    }
    await lookUp(duck, place, lookup, signature, looking);
    for (const { name } of signatureColumns(signature).filter(({ name: column, nullable }) => !nullable && lookup.columns.some((own) => own.input === column))) {
      await refuseRows(duck, input, name, `${identifier(name)} is null`, `is needed by the model, and the view ${lookup.view} knows nothing of it for the key`);
    }
    for (const index of lookup.keys.keys()) await duck.run(`alter table input drop column ${keyName(place, index)}`);
  }
}

async function lookUp(duck: Duck, place: number, { view, digest, ttlMs, keys, columns }: JoinedView, signature: Signature, { rows, at, signal }: LookingUp): Promise<void> {
  const upkeep = await rows.upkeep(view, digest);
  const stale = !upkeep || isStale(upkeep, at);
  if (stale && upkeep?.whenStale !== 'null') throw new PerennialError('features/stale', `the view ${view} is as of ${upkeep?.asOf ?? 'no time yet'}, and may be ${upkeep?.freshness ?? 'no time'} old at most`, { view });
  if (stale) return;
  const since = new Date(at - ttlMs).toISOString();
  const [own, on] = [keys.map((_, index) => keyName(place, index)), keys.map((_, index) => `input.${keyName(place, index)} = k.k${index}`)];
  const typeOf = (name: string) => signatureColumns(signature).find((column) => column.name === name)?.type ?? 'number';
  await duck.run(`create or replace table looked_up_keys as select row_number() over () - 1 as place, ${own.map((name, index) => `${name} as k${index}`).join(', ')} from (select distinct ${own.join(', ')} from input)`);
  await duck.run(`create or replace table looked_up (place bigint, ${columns.map(({ input }, index) => `v${index} ${stagedType(typeOf(input))}`).join(', ')})`);
  const [counted] = await duck.rows<{ n: bigint }>('select count(*) as n from looked_up_keys');
  for (let from = 0; from < Number(counted?.n ?? 0); from += KEYS_AT_ONCE) {
    signal.throwIfAborted();
    const found = (await duck.connection.runAndReadAll(`select * from looked_up_keys where place >= ${from} and place < ${from + KEYS_AT_ONCE}`)).getRows();
    const places = new Map(found.map(([number, ...cells]) => [entityHash(cellsOf(keys, cells)), number as bigint]));
    const known = await rows.find(view, digest, [...places.keys()], since);
    await append(duck, known.map(({ entity, cells }) => ({ place: places.get(entity) ?? 0n, cells: JSON.parse(cells) as Cell[] })), columns.map((column) => column.place));
  }
  await duck.run(`update input set ${columns.map(({ input }, index) => `${identifier(input)} = f.v${index}`).join(', ')} from looked_up_keys k join looked_up f using (place) where ${on.join(' and ')}`);
}

/** Values as they are staged: numbers to their last bit, anything else as text. */
async function append(duck: Duck, rows: readonly { readonly place: bigint; readonly cells: readonly Cell[] }[], taken: readonly number[]): Promise<void> {
  const appender = await duck.connection.createAppender('looked_up');
  try {
    for (const { place, cells } of rows) {
      appender.appendBigInt(place);
      for (const index of taken) {
        const cell = cells[index] ?? null;
        if (cell === null) appender.appendNull();
        else if (typeof cell === 'number') appender.appendDouble(cell);
        else appender.appendVarchar(String(cell));
      }
      appender.endRow();
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
