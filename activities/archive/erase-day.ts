import { join } from 'node:path';
import { identifier, literal, openDuck, type Duck } from '../data/duckdb.js';
import { withWorkspace } from '../data/workspace.js';
import type { ActivityDeps } from '../deps.js';
import type { FoundPrediction, KeptErasure } from '../../stores/erased-predictions.js';
import { measure } from '../../stores/artifact-bytes.js';
import type { HeldDay, PredictionArchive } from '../../stores/prediction-archives.js';
import { archiveDay } from './archive-day.js';
import { loadDay, typedColumns, writeParquet } from './day-table.js';
import { ERASED, erasedRows } from './erased-rows.js';
import { removeStraysOf } from './strays.js';

type Deps = Pick<ActivityDeps, 'stores' | 'artifacts' | 'scratch'>;
const LOG = 'predictions';

/** Erases rows in a day's partition, and where the day is in S3 alone, in its file. A repeated call finds nothing more. */
export async function eraseInDay(deps: Deps, day: string, erasures: readonly KeptErasure[], { isHere }: { isHere: boolean }, signal: AbortSignal): Promise<void> {
  const { stores, scratch } = deps;
  const rewritten = await stores.predictionArchives.holdingDay(LOG, day, (held) => withWorkspace(scratch, 'erasures', async (folder) => {
    const duck = await openDuck(folder, signal);
    try {
      if (isHere) {
        await loadDay(duck, stores.predictionArchives, LOG, day, signal, [...new Set(erasures.map(({ model }) => model))]);
        for (const erasure of erasures) await stores.erasedPredictions.erase(erasure.id, await erasedRows(duck, `select ${typedColumns(LOG)} from logged`, erasure));
      }
      const archived = await held.get();
      return archived !== null && archived.removedAt !== null && await eraseInFile(deps, duck, folder, held, archived, erasures);
    } finally {
      duck.close();
    }
  }));
  if (rewritten) await removeStraysOf(deps, LOG, day);
}

/** Writes the file anew without what was erased in it; false where nothing was. Rows are noted before the file is, so that a crash between the two is made up for by the next try. */
async function eraseInFile({ stores, artifacts }: Deps, duck: Duck, folder: string, held: HeldDay, { day, rows, file }: PredictionArchive, erasures: readonly KeptErasure[]): Promise<boolean> {
  const path = join(folder, 'archived.parquet');
  await artifacts.getToFile(file, path);
  const found = new Map<string, string>();
  for (const erasure of erasures) {
    const of: FoundPrediction[] = await erasedRows(duck, `select * from read_parquet(${literal(path)})`, erasure);
    await stores.erasedPredictions.noteRemoved(erasure.id, of);
    for (const { id } of of) found.set(id, erasure.id);
  }
  if (found.size === 0) return false;
  await duck.run('create or replace table erased (id uuid, erasure varchar)');
  const appender = await duck.connection.createAppender('erased');
  for (const [id, erasure] of found) {
    appender.appendVarchar(id);
    appender.appendVarchar(erasure);
    appender.endRow();
  }
  appender.closeSync();
  const has = (await duck.rows<{ column_name: string }>(`describe select * from read_parquet(${literal(path)})`)).map((row) => row.column_name);
  const names = has.filter((name) => name !== 'erased');
  const select = names.map((name) => (ERASED[name] === undefined ? `f.${identifier(name)}` : `case when e.id is null then f.${identifier(name)} else ${ERASED[name]} end as ${identifier(name)}`));
  const mark = has.includes('erased') ? 'coalesce(e.erasure, f.erased) as erased' : 'e.erasure as erased';
  const anew = join(folder, 'anew.parquet');
  const written = await writeParquet(duck, `select ${[...select, mark].join(', ')} from read_parquet(${literal(path)}) f left join erased e on e.id = f.id order by f.id`, anew);
  if (written !== rows) throw new Error(`the file of ${day} would hold ${written} rows, of ${rows}`);
  await held.save({ rows, file: await artifacts.putAt(`predictions/${LOG}/${day}/${(await measure(anew)).sha256}.parquet`, anew) });
  return true;
}

/** Writes files of days anew in which rows were erased in PostgreSQL; of a day that is not in S3 yet there is nothing to do. */
export async function rewriteErasedDays(deps: Deps, signal: AbortSignal): Promise<void> {
  const { predictionArchives, erasedPredictions } = deps.stores;
  for (const day of await erasedPredictions.toRewrite()) {
    signal.throwIfAborted();
    const archived = await predictionArchives.get(LOG, day);
    if (archived?.removedAt === null) await archiveDay(deps, LOG, day, signal);
    await erasedPredictions.rewritten(day);
  }
}

/** Erases a row wherever the log has it, and notes in the ledger how many predictions that were. Safe to run twice: what was erased is not found again, and what was noted is counted once. */
export async function eraseFromLog(deps: Deps, { model, id }: { readonly model: string; readonly id: string }, signal: AbortSignal): Promise<void> {
  const { predictionArchives, erasedPredictions, erasures, ledger } = deps.stores;
  const wanted = (await erasedPredictions.erasures(model)).filter((one) => one.id === id);
  const here = new Set(await predictionArchives.partitions(LOG));
  const removed = (await predictionArchives.list(LOG)).flatMap(({ day, removedAt }) => (removedAt === null ? [] : [day]));
  for (const day of [...new Set([...here, ...removed])].sort()) {
    signal.throwIfAborted();
    await eraseInDay(deps, day, wanted, { isHere: here.has(day) }, signal);
  }
  await rewriteErasedDays(deps, signal);
  const [erasure, predictions] = [await erasures.get(id), await erasedPredictions.count(id)];
  if (!erasure || predictions === 0) return;
  await ledger.append({ chain: `${model}/runs`, eventId: `erasure/${id}/predictions/${predictions}`, actor: erasure.by, action: 'predictions-erased', subject: { erasure: id, predictions }, at: new Date().toISOString() });
}
