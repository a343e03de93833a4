import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../../domain/canonical.js';
import { shardOf } from '../../domain/stable-split.js';
import { checkClasses } from './label-checks.js';
import { withoutErased } from './erasure/forget.js';
import type { Erased } from './erasure/forget.js';
import { keepFrozenPicturesOut } from './frozen/keep-pictures-out.js';
import type { OpenFrozenSet } from './frozen/open.js';
import { checkNearDuplicates } from './leakage/near-duplicates.js';
import { compareKeys } from './order.js';
import { readFolder, readLabelled } from './picture-rows.js';
import type { Images, PictureRow, ReadContext } from './picture-rows.js';
import type { ListedSource } from './listing.js';
import { writePictureShard } from './picture-shard.js';
import { profilePictures } from './profile/picture-profile.js';
import { byAttribute, shardCount, SPLITS } from './rows.js';
import type { BuiltRows, BuiltShard } from './rows.js';
import { selectPictures } from './select-pictures.js';
import { Spill } from './spill.js';

const ROWS_PER_SHARD = 4_000;
const BYTES_PER_SHARD = 64 * 1024 * 1024;

/** Reads, checks and divides the pictures. Their bytes wait in a file of `folder`; about 400 bytes a row stay in memory. */
export async function buildPictures(context: Omit<ReadContext, 'spill'> & { readonly sources: readonly ListedSource[]; readonly folder: string; readonly erased: Erased; readonly frozen: readonly OpenFrozenSet[] }): Promise<BuiltRows & { close(): Promise<void> }> {
  const { data, findings, sources, folder } = context;
  const spill = await Spill.create(join(folder, 'pictures.spill'));
  try {
    const read: PictureRow[] = [];
    for (const [index, source] of sources.entries()) read.push(...await readSource({ ...context, spill }, source, index));
    const selected = selectPictures(withoutErased(read, context.erased, findings), data.checks, findings);
    const rows = await keepFrozenPicturesOut(selected, data, context.frozen, context);
    checkClasses(countBy(rows), { classes: data.target.classes, minimumRows: data.checks.minimumRowsPerClass }, findings);
    await checkNearDuplicates(rows, spill, data, findings, context.signal);
    return { rows: rows.length, shards: divide(rows, data, spill, folder), counts: countAll(rows), sources: countSources(rows, sources), close: () => spill.close() };
  } catch (error) {
    await spill.close();
    throw error;
  }
}

async function readSource(context: ReadContext, listed: ListedSource, index: number): Promise<PictureRow[]> {
  const rows: PictureRow[] = [];
  if (listed.kind === 'sql' || listed.kind === 'generator') throw new TypeError(`a model of pictures has a source of kind ${listed.kind}`);
  for await (const row of listed.kind === 'files' ? readFolder(context, listed, index) : readLabelled(context, listed, index)) rows.push(row);
  if (listed.kind === 'labelled' && rows.length > 0 && rows.length < listed.source.minimum) {
    context.findings.add('too-few-rows', 'warn', `${rows.length} rows: ${listed.description} are used from ${listed.source.minimum} on`);
    return [];
  }
  return rows;
}

function divide(rows: readonly PictureRow[], data: Images, spill: Spill, folder: string): BuiltShard[] {
  const shards: BuiltShard[] = [];
  for (const split of SPLITS) {
    const ofSplit = rows.filter((row) => row.split === split);
    const bytes = ofSplit.reduce((sum, { place }) => sum + place.bytes, 0);
    const count = Math.max(shardCount(ofSplit.length, ROWS_PER_SHARD), shardCount(bytes, BYTES_PER_SHARD));
    const parts = new Map<number, PictureRow[]>();
    for (const row of ofSplit) {
      const shard = shardOf(row.key, count);
      parts.set(shard, [...parts.get(shard) ?? [], row]);
    }
    for (const [, part] of [...parts].sort(([a], [b]) => a - b)) {
      part.sort((a, b) => compareKeys(a.key, b.key));
      const index = shards.length;
      const digest = digestRows(part);
      shards.push({ index, split, rows: part.length, digest, write: (file) => writePictureShard({ rows: part, spill, folder, file }), read: async () => ({ digest, profile: await profilePictures({ rows: part, data, spill, seed: index }) }) });
    }
  }
  return shards;
}

function digestRows(rows: readonly PictureRow[]): string {
  const digest = createHash('sha256');
  for (const { key, split, label, attributes, digest: image } of rows) digest.update(`${canonicalJson({ key, split, label, attributes, image })}\n`);
  return digest.digest('hex');
}

function tally(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function countBy(rows: readonly PictureRow[]) {
  return [...tally(rows.map(({ split, label }) => `${split}/${label}`))].map(([name, count]) => {
    const [split = '', label = ''] = name.split('/');
    return { split, label, rows: count };
  });
}

function countAll(rows: readonly PictureRow[]): BuiltRows['counts'] {
  return {
    bySplit: Object.fromEntries(tally(rows.map(({ split }) => split))),
    byClass: Object.fromEntries(tally(rows.map(({ label }) => label))),
    byAttribute: byAttribute(tally(rows.flatMap(({ attributes }) => Object.entries(attributes).map(([name, value]) => `${name}=${value}`)))),
  };
}

function countSources(rows: readonly PictureRow[], sources: readonly ListedSource[]): BuiltRows['sources'] {
  const counts = tally(rows.map(({ source }) => String(source)));
  return sources.map(({ description }, index) => ({ description, rows: counts.get(String(index)) ?? 0 }));
}
