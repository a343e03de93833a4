import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PerennialError } from '../../contract/errors.js';
import type { LocalSnapshot } from '../../contract/frames.js';
import type { Split } from '../../contract/snapshot.js';
import { digestOf } from '../../domain/digest.js';
import { identifier, literal, openDuck } from '../data/duckdb.js';
import { positionSql } from '../data/split-sql.js';

/** Which rows a trial is judged on: the validation rows, or a fold of all rows but the test rows. `group`: the column whose values stay together. */
export type HeldOut = { readonly kind: 'validation' } | { readonly kind: 'fold'; readonly fold: number; readonly folds: number; readonly seed: number; readonly group: string | null };

/** Rows of a row group of the files that are made here: what a reader holds at a time. */
const GROUP = { images: 1_024, table: 122_880 } as const;

/**
 * A snapshot whose test rows are those that are held out, and whose real test rows are not there: what is tried again and again must not
 * have seen them. All others stay what they are, so that a trial trains as a run does, and its features are fitted on its training rows
 * only. Shard by shard, in the order of the rows, so that memory does not grow with them.
 * @param folder where the new shards are written
 * @throws PerennialError `experiment/impossible` where one side has no rows
 */
export async function holdOut(snapshot: LocalSnapshot, heldOut: HeldOut, folder: string, signal: AbortSignal): Promise<LocalSnapshot> {
  const { manifest, localShards } = snapshot;
  const duck = await openDuck(folder, signal);
  try {
    await duck.run('set threads = 1'); // keeps the order of the rows
    const shards: { index: number; split: Split; rows: number; path: string }[] = [];
    for (const { index, split, path } of localShards.filter((shard) => shard.split !== 'test')) {
      for (const [to, where] of destinations(split, heldOut)) {
        signal.throwIfAborted();
        const file = join(folder, `${index}-${to}.parquet`);
        await duck.run(`copy (select * replace (${literal(to)} as split) from read_parquet(${literal(path)}) where ${where}) to ${literal(file)} (format parquet, compression zstd, row_group_size ${GROUP[manifest.content.kind]})`);
        const [row] = await duck.rows<{ n: bigint }>(`select count(*) as n from read_parquet(${literal(file)})`);
        const rows = Number(row?.n ?? 0);
        if (rows > 0) shards.push({ index: shards.length, split: to, rows, path: file });
        else await rm(file);
      }
    }
    for (const split of ['train', 'test'] as const) if (!shards.some((shard) => shard.split === split)) throw new PerennialError('experiment/impossible', `${named(heldOut)} leave${heldOut.kind === 'fold' ? 's' : ''} no rows to ${split === 'train' ? 'train on' : 'judge on'}: ask for fewer folds, or for another seed`, { heldOut });
    // Named by what it is: a checkpoint of other rows is not gone on from. The files are local, and nobody fetches them.
    const digest = digestOf({ of: manifest.digest, heldOut });
    const content = { ...manifest.content, shards: shards.map(({ index, split, rows }) => ({ index, split, rows, digest })) };
    return {
      manifest: { ...manifest, digest, content, shards: content.shards.map((shard) => ({ ...shard, file: { uri: `s3://held-out/${digest}`, sha256: digest, bytes: 0 } })) },
      localShards: shards.map(({ index, split, path }) => ({ index, split, path })),
    };
  } finally {
    duck.close();
  }
}

function destinations(split: Split, heldOut: HeldOut): [to: Split, where: string][] {
  if (heldOut.kind === 'validation') return [[split === 'validation' ? 'test' : split, 'true']];
  const inFold = `${foldSql(heldOut)} = ${heldOut.fold}`;
  return [['test', inFold], [split, `not (${inFold})`]];
}

/** The fold of a row as SQL, by a hash of its key, or of its group where it has one: it does not depend on other rows, and another seed divides them another way. */
export function foldSql({ folds, seed, group }: Pick<Extract<HeldOut, { kind: 'fold' }>, 'folds' | 'seed' | 'group'>): string {
  const text = group === null ? 'key' : `coalesce(${identifier(group)}::varchar, key)`;
  return `floor(${positionSql(`sha256(${literal(`fold ${seed}\n`)} || ${text})`)} * ${folds})::integer`;
}

const named = (heldOut: HeldOut) => (heldOut.kind === 'fold' ? `fold ${heldOut.fold + 1} of ${heldOut.folds}${heldOut.group === null ? '' : ` by ${heldOut.group}`}` : 'the validation rows');
