import type { z } from 'zod';
import { typedColumns } from '../../definition/columns.js';
import type { TableData } from '../../definition/data.js';
import type { ActivityDeps } from '../deps.js';
import { checkClasses } from './class-checks.js';
import { storedValue } from './column-sql.js';
import { identifier, literal, openDuck } from './duckdb.js';
import type { Duck } from './duckdb.js';
import type { Findings } from './findings.js';
import type { ListedSource } from './listing.js';
import { byAttribute, shardCount, SPLITS } from './rows.js';
import type { BuiltRows, BuiltShard } from './rows.js';
import { stageFiles } from './stage-files.js';
import { checkExpectations } from './table-expectations.js';
import { checkTableRows, selectTableRows } from './table-checks.js';
import { columnOf, createStaging, stageLabelled } from './table-staging.js';

export type Table = z.infer<typeof TableData>;

export interface TableContext {
  readonly deps: ActivityDeps; readonly model: string; readonly data: Table; readonly findings: Findings; readonly sources: readonly ListedSource[];
  readonly folder: string; readonly signal: AbortSignal; readonly onRows: (rows: number) => void;
}

const ROWS_PER_SHARD = 200_000;
const TAKEN = ['key', 'split', 'label', 'attributes'];

/** Reads, checks, sorts and divides the rows in a DuckDB file of `folder`: no row passes through this process. */
export async function buildTable(context: TableContext): Promise<BuiltRows & { close(): Promise<void> }> {
  const { data, findings, sources, folder, signal } = context;
  for (const { name: column } of typedColumns(data.columns)) if (TAKEN.includes(column)) findings.add('wrong-shape', 'block', `a column cannot be named ${TAKEN.join(', ')}: snapshots have columns of these names`, column);
  const duck = await openDuck(folder, signal);
  try {
    await createStaging(duck, data);
    for (const [index, source] of sources.entries()) {
      signal.throwIfAborted();
      const rows = source.kind === 'files' ? await stageFiles(duck, context, source, index) : await stageLabelled(duck, context, source, index);
      context.onRows(rows);
    }
    await checkExpectations(duck, context);
    await checkTableRows(duck, data, findings);
    await selectTableRows(duck, data, findings);
    const classes = await duck.rows<{ split: string; label: string; n: bigint }>('select split, label, count(*) as n from kept group by all');
    checkClasses(classes.map(({ split, label, n }) => ({ split, label, rows: Number(n) })), data, findings);
    const shards = await divide(duck, data);
    return { rows: shards.reduce((sum, { rows }) => sum + rows, 0), shards, counts: await countAll(duck), sources: await countSources(duck, sources), close: () => Promise.resolve(duck.close()) };
  } catch (error) {
    duck.close();
    signal.throwIfAborted();
    throw error;
  }
}

/** The same hash as `shardOf` of domain/, as SQL. */
const shardSql = (count: number) => `(('0x' || substr(sha256(key), 9, 8))::ubigint % ${count})`;

async function divide(duck: Duck, data: Table): Promise<BuiltShard[]> {
  const shards: BuiltShard[] = [];
  for (const split of SPLITS) {
    const [total] = await duck.rows<{ n: bigint }>('select count(*) as n from kept where split = $1', [split]);
    const count = shardCount(Number(total?.n ?? 0), ROWS_PER_SHARD);
    const parts = await duck.rows<{ shard: bigint; n: bigint; digest: string }>(
      `select ${shardSql(count)} as shard, count(*) as n, sha256(string_agg(hash, chr(10) order by key)) as digest from kept where split = $1 group by 1 order by 1`, [split]);
    for (const { shard, n, digest } of parts) {
      const where = `split = ${literal(split)} and ${shardSql(count)} = ${shard}`;
      shards.push({ index: shards.length, split, rows: Number(n), digest, write: (file) => writeShard(duck, data, where, file) });
    }
  }
  return shards;
}

/** One thread, so that the same rows give the same bytes. */
async function writeShard(duck: Duck, data: Table, where: string, file: string): Promise<void> {
  const columns = typedColumns(data.columns).map((column, index) => `${storedValue(column, columnOf(index))} as ${identifier(column.name)}`).join(', ');
  const [threads] = await duck.rows<{ n: number | bigint }>('select current_setting(\'threads\') as n');
  await duck.run('set threads = 1');
  try {
    await duck.run(`copy (select key, split, label, attributes, ${columns} from kept where ${where} order by key) to ${literal(file)} (format parquet, compression zstd)`);
  } finally {
    await duck.run(`set threads = ${Number(threads?.n ?? 1)}`);
  }
}

const COUNTED_GROUPS = 10_000;

async function countAll(duck: Duck): Promise<BuiltRows['counts']> {
  const tally = async (column: 'split' | 'label') => {
    const rows = await duck.rows<{ name: string; n: bigint }>(`select ${column} as name, count(*) as n from kept group by 1 order by 1`);
    return Object.fromEntries(rows.map(({ name, n }) => [name, Number(n)]));
  };
  const groups = await duck.rows<{ attributes: string; n: bigint }>(`select attributes, count(*) as n from kept group by 1 order by n desc, attributes limit ${COUNTED_GROUPS}`);
  const values = new Map<string, number>();
  for (const { attributes, n } of groups) {
    for (const [name, value] of Object.entries(JSON.parse(attributes) as Record<string, string>)) values.set(`${name}=${value}`, (values.get(`${name}=${value}`) ?? 0) + Number(n));
  }
  return { bySplit: await tally('split'), byClass: await tally('label'), byAttribute: byAttribute(values) };
}

async function countSources(duck: Duck, sources: readonly ListedSource[]): Promise<BuiltRows['sources']> {
  const rows = await duck.rows<{ source: number; n: bigint }>('select source, count(*) as n from kept group by 1');
  return sources.map(({ description }, index) => ({ description, rows: Number(rows.find(({ source }) => source === index)?.n ?? 0) }));
}

