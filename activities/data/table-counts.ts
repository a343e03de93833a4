import type { Split } from '../../contract/snapshot.js';
import type { Duck } from './duckdb.js';
import type { Findings } from './findings.js';
import { checkClasses, checkNumbers } from './label-checks.js';
import type { ListedSource } from './listing.js';
import { compareKeys } from './order.js';
import { byAttribute } from './rows.js';
import type { BuiltRows } from './rows.js';
import type { Buckets } from './table-buckets.js';
import type { Table } from './tables.js';

/** Rows of one split, source and class (of a regression: null, and between which numbers the target is), in one of the parts that shards are put together of. */
interface Group { readonly split: string; readonly source: number; readonly label: string | null; readonly part: number; readonly rows: number; readonly lowest: number; readonly highest: number }

export interface TableCounts {
  readonly groups: readonly Group[];
  /** What all rows have; null where they have different ones. */
  readonly attributes: string | null;
}

/** Counts all rows in one pass. @param parts by `place`, as shards: how many */
export async function countTable(duck: Duck, { target }: Table, kept: Buckets, parts: number): Promise<TableCounts> {
  const [label, range] = target.task === 'regression' ? ['null::varchar', 'min(label::double) as lowest, max(label::double) as highest'] : ['label', '0::double as lowest, 0::double as highest'];
  const found = await duck.rows<{ split: string; source: number; label: string | null; part: number; n: bigint; lowest: number; highest: number; least: string; most: string }>(
    `select split, source, ${label} as label, (place % ${parts})::integer as part, count(*) as n, ${range}, min(attributes) as least, max(attributes) as most from ${kept.rows()} group by 1, 2, 3, 4`);
  const attributes = new Set(found.flatMap(({ least, most }) => [least, most]));
  const [only] = attributes;
  return { groups: found.map(({ n, least: _, most: __, ...group }) => ({ ...group, rows: Number(n) })), attributes: attributes.size === 1 && only !== undefined ? only : null };
}

/** How many rows there are of the groups for which `of` holds. */
export function rowsOf({ groups }: TableCounts, of: (group: Group) => boolean): number {
  return groups.reduce((sum, group) => (of(group) ? sum + group.rows : sum), 0);
}

/** Whether what is to be learned is there to be learned. */
export function checkLabels(counts: TableCounts, { target, checks }: Table, findings: Findings): void {
  const minimumRows = checks.minimumRowsPerClass;
  if (target.task !== 'regression') {
    checkClasses(counts.groups.map(({ split, label, rows }) => ({ split, label: label ?? '', rows })), { classes: target.classes, minimumRows }, findings);
    return;
  }
  const ranges = [...new Set(counts.groups.map(({ split }) => split))].map((split) => {
    const ofSplit = counts.groups.filter((group) => group.split === split);
    return { split, rows: rowsOf(counts, (group) => group.split === split), lowest: Math.min(...ofSplit.map(({ lowest }) => lowest)), highest: Math.max(...ofSplit.map(({ highest }) => highest)) };
  });
  checkNumbers(ranges, { name: target.name, minimumRows }, findings);
}

export function countsOfSources(counts: TableCounts, sources: readonly ListedSource[]): BuiltRows['sources'] {
  return sources.map(({ description }, index) => ({ description, rows: rowsOf(counts, ({ source }) => source === index) }));
}

const COUNTED_GROUPS = 10_000;

/** What a manifest says of its rows. */
export async function countsOfManifest(duck: Duck, counts: TableCounts, { target }: Table, kept: Buckets): Promise<BuiltRows['counts']> {
  const tally = (name: 'split' | 'label') => {
    const names = [...new Set(counts.groups.flatMap((group) => group[name] ?? []))].sort(compareKeys);
    return Object.fromEntries(names.map((value) => [value, rowsOf(counts, (group) => group[name] === value)]));
  };
  const groups = counts.attributes === null
    ? await duck.rows<{ attributes: string; n: bigint }>(`select attributes, count(*) as n from ${kept.rows()} group by 1 order by n desc, attributes limit ${COUNTED_GROUPS}`)
    : [{ attributes: counts.attributes, n: rowsOf(counts, () => true) }];
  const values = new Map<string, number>();
  for (const { attributes, n } of groups) {
    for (const [name, value] of Object.entries(JSON.parse(attributes) as Record<string, string>)) values.set(`${name}=${value}`, (values.get(`${name}=${value}`) ?? 0) + Number(n));
  }
  return { bySplit: tally('split'), byClass: target.task === 'regression' ? {} : tally('label'), byAttribute: byAttribute(values) };
}

/** Rows of a shard, where a split has `shards` of them: as the parts, so many as a power of two. */
export function rowsOfShard(counts: TableCounts, split: Split, shard: number, shards: number): number {
  return rowsOf(counts, (group) => group.split === split && group.part % shards === shard);
}
