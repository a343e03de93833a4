import type { z } from 'zod';
import type { Split } from '../../contract/snapshot.js';
import { typedColumns } from '../../definition/columns.js';
import type { TableData } from '../../definition/data.js';
import type { ActivityDeps } from '../deps.js';
import { columnOf } from './column-names.js';
import { storedValue } from './column-sql.js';
import { identifier, literal, openDuck } from './duckdb.js';
import type { Duck } from './duckdb.js';
import { forgetRows } from './erasure/forget.js';
import type { OpenView } from '../features/open-views.js';
import type { Erased } from './erasure/forget.js';
import type { Findings } from './findings.js';
import { keepFrozenOut } from './frozen/keep-out.js';
import type { OpenFrozenSet } from './frozen/open.js';
import { checkTableLeakage } from './leakage/table-leakage.js';
import type { ListedSource } from './listing.js';
import type { Pseudonyms } from '../../runtime/personal/pseudonyms.js';
import { replacingActions } from '../../definition/personal.js';
import { replacePersonalData } from './personal/replace.js';
import { scanPersonalData } from './personal/scan.js';
import { digestShard } from './profile/table-profile.js';
import { shardCount, SPLITS } from './rows.js';
import type { BuiltRows, BuiltShard } from './rows.js';
import { stageFiles } from './stage-files.js';
import { stageGenerated } from './stage-generated.js';
import { stageSql } from './stage-sql.js';
import { bucketsOf, bucketsOfShard, rowsWithin } from './table-buckets.js';
import type { Buckets } from './table-buckets.js';
import { checkTableRows } from './table-checks.js';
import { checkLabels, countsOfManifest, countsOfSources, countTable, rowsOf, rowsOfShard } from './table-counts.js';
import type { TableCounts } from './table-counts.js';
import { selectTableRows } from './table-duplicates.js';
import { checkExpectations } from './table-expectations.js';
import { createStaging, stageLabelled } from './table-staging.js';
import { decideBoundaries, resolvedSplit } from './time-boundaries.js';
import type { LookUpBoundaries } from './time-boundaries.js';

export type Table = z.infer<typeof TableData>;

export interface TableContext {
  readonly deps: ActivityDeps; readonly model: string; readonly data: Table; readonly findings: Findings; readonly sources: readonly ListedSource[]; readonly views: readonly OpenView[];
  readonly folder: string; readonly signal: AbortSignal; readonly onRows: (rows: number) => void;
  /** Boundaries of times that earlier snapshots fixed. */
  readonly boundariesOf: LookUpBoundaries;
  /** The bundle of the definition's file, for its generators. */
  readonly definitionCode: () => Promise<Uint8Array>;
  readonly erased: Erased;
  /** Rows that train nothing. */
  readonly frozen: readonly OpenFrozenSet[];
  /** Null where no column's values are replaced. */
  readonly pseudonyms: Pseudonyms | null;
}

const ROWS_PER_SHARD = 200_000;
const TAKEN = ['key', 'split', 'label', 'attributes'];

/**
 * Reads, checks, sorts and divides the rows in a DuckDB that spills into `folder`: no row passes through this process. Only what is as
 * small for a billion rows as for a thousand is done over all of them; the rest goes bucket by bucket, and shard by shard.
 */
export async function buildTable(context: TableContext): Promise<BuiltRows & { close(): Promise<void> }> {
  const { data, findings, sources, folder, signal } = context;
  for (const { name: column } of typedColumns(data.columns)) if (TAKEN.includes(column)) findings.add('wrong-shape', 'block', `a column cannot be named ${TAKEN.join(', ')}: snapshots have columns of these names`, column);
  const duck = await openDuck(folder, signal);
  try {
    await createStaging(duck, data);
    for (const [index, source] of sources.entries()) {
      signal.throwIfAborted();
      const rows = await stage(duck, context, source, index);
      context.onRows(rows);
    }
    await forgetRows(duck, context.erased, findings);
    // From here on, what has an order is ordered by its keys; keeping the order of files as well would hold many rows back.
    await duck.run('set preserve_insertion_order = false');
    await replacePersonalData(duck, context);
    await scanPersonalData(duck, context);
    await checkExpectations(duck, context);
    const good = await checkTableRows(duck, data, findings);
    const boundaries = await decideBoundaries(duck, sources, good, context.boundariesOf);
    const buckets = await bucketsOf(duck, data, { folder, good, split: resolvedSplit(boundaries), signal });
    const selected = await selectTableRows(duck, data, buckets, findings, signal);
    const kept = await keepFrozenOut(duck, data, selected, context.frozen, findings, signal);
    const counts = await countTable(duck, data, kept, shardCount(buckets.most, ROWS_PER_SHARD));
    checkLabels(counts, data, findings);
    await checkTableLeakage(duck, data, { kept, counts }, findings, signal);
    const shards = divide({ ducks: [duck, await duck.beside()], data, kept, counts, signal });
    return { rows: rowsOf(counts, () => true), shards, counts: await countsOfManifest(duck, counts, data, kept), sources: countsOfSources(counts, sources), boundaries, ...(context.pseudonyms ? { personal: { key: context.pseudonyms.key, columns: replacingActions(data) } } : {}), close: () => Promise.resolve(duck.close()) };
  } catch (error) {
    duck.close();
    signal.throwIfAborted();
    throw error;
  }
}

function stage(duck: Duck, context: TableContext, source: ListedSource, index: number): Promise<number> {
  switch (source.kind) {
    case 'files': return stageFiles(duck, context, source, index);
    case 'labelled': return stageLabelled(duck, context, source, index);
    case 'generator': return stageGenerated(duck, context, source, index);
    case 'sql': return stageSql(duck, context, source, index);
  }
}

/** Of larger shards one is written at a time: two would need more memory than DuckDB has, to sort them and to gather a part of each file. */
const SIDE_BY_SIDE_BYTES = 100e6;

/** @param ducks all write, where shards are small enough */
function divide({ ducks, data, kept, counts, signal }: { ducks: readonly [Duck, ...Duck[]]; data: Table; kept: Buckets; counts: TableCounts; signal: AbortSignal }): BuiltShard[] {
  const [duck] = ducks;
  const writers = ROWS_PER_SHARD * kept.rowBytes > SIDE_BY_SIDE_BYTES ? 1 : ducks.length;
  const shards: BuiltShard[] = [];
  // The same rows give the same bytes where one thread writes them; several of them write several shards. From then on the database has no other threads.
  let alone: Promise<void> | null = null;
  for (const split of SPLITS) {
    const count = shardCount(rowsOfShard(counts, split, 0, 1), ROWS_PER_SHARD);
    for (let shard = 0; shard < count; shard += 1) {
      const rows = rowsOfShard(counts, split, shard, count);
      if (rows === 0) continue;
      const from = `${kept.rows(bucketsOfShard(shard, count, kept.count))} where split = ${literal(split)} and place % ${count} = ${shard}`;
      const index = shards.length;
      shards.push({
        index, split, rows, digest: null,
        write: async (file) => {
          await (alone ??= duck.run('set threads = 1'));
          await writeShard(ducks[index % writers] ?? duck, data, { from, split, attributes: counts.attributes, file, rowBytes: kept.rowBytes });
        },
        read: (file) => digestShard(file, { columns: typedColumns(data.columns), target: { name: data.target.name, classes: data.target.task === 'regression' ? null : data.target.classes }, split, seed: index, signal }),
      });
    }
  }
  return shards;
}

/** A part of a Parquet file is in memory until it is written. */
const PART_BYTES = 96e6;
const ROWS_PER_PART = 122_880;
/** A column of more different values in a part is written without a dictionary of them: filling it up in vain takes longer than writing. */
const DICTIONARY_VALUES = 1_000;
/**
 * In version 2 of Parquet the bytes of one significance of all numbers lie together (BYTE_STREAM_SPLIT): numbers take a half to two
 * thirds of the time to write, and 70 to 95% of the space (decimals a third more), and are read quicker. At level 1 texts are compressed in half the time, to about the same size.
 */
export const ENCODED = 'parquet_version v2, compression zstd, compression_level 1';

/** @param attributes of all rows, where they have the same: what is constant has not to be sorted with them */
async function writeShard(duck: Duck, data: Table, { from, split, attributes, file, rowBytes }: { from: string; split: Split; attributes: string | null; file: string; rowBytes: number }): Promise<void> {
  const columns = typedColumns(data.columns).map((column, index) => `${storedValue(column, columnOf(index))} as ${identifier(column.name)}`).join(', ');
  await duck.run(`copy (select key, ${literal(split)} as split, ${data.target.task === 'regression' ? 'label::double as label' : 'label'}, ${attributes === null ? 'attributes' : `${literal(attributes)} as attributes`}, ${columns} from ${from} order by key) to ${literal(file)} (format parquet, ${ENCODED}, dictionary_size_limit ${DICTIONARY_VALUES}, row_group_size ${Math.min(ROWS_PER_PART, rowsWithin(PART_BYTES, rowBytes))})`);
}
