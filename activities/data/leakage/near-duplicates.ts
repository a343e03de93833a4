import { decode } from 'fast-png';
import { setImmediate } from 'node:timers/promises';
import { PictureLeakage } from '../../../definition/leakage.js';
import { correlation, greyCells, LikenessIndex } from '../../../domain/picture-likeness.js';
import type { Findings } from '../findings.js';
import type { Images, PictureRow } from '../picture-rows.js';
import type { Spill } from '../spill.js';

/** Cells, each way, over which pictures whose hashes are near are compared, and how alike they have to be there. */
const CELLS = 16;
const LEAST_CORRELATION = 0.97;
/** Pairs that are looked at again; behind them the count is one of at least. */
const MOST_PAIRS = 2_000;

/**
 * Reports pictures of other splits that look like a test picture: hashes of their looks find candidates, their grey values decide. The same
 * pixels are no near-duplicate; they were left out before.
 */
export async function checkNearDuplicates(rows: readonly PictureRow[], spill: Spill, data: Images, findings: Findings, signal: AbortSignal): Promise<void> {
  const { nearDuplicates, distance } = PictureLeakage.parse(data.leakage ?? {});
  if (nearDuplicates === 'off') return;
  const index = new LikenessIndex(distance);
  const byLooks = new Map<bigint, PictureRow>();
  for (const row of rows) {
    if (row.split !== 'test' || byLooks.has(row.looks)) continue;
    byLooks.set(row.looks, row);
    index.add(row.looks);
  }
  const grey = async ({ place }: PictureRow) => {
    const { data: pixels, channels } = decode(await spill.read(place));
    return greyCells(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength), { ...data.image, channels }, CELLS, CELLS);
  };
  let looked = 0;
  for (const row of rows) {
    if (row.split === 'test') continue;
    for (const { hash, distance: bits } of index.near(row.looks)) {
      const like = byLooks.get(hash);
      if (!like) continue;
      if (++looked > MOST_PAIRS) {
        findings.add('near-duplicate', nearDuplicates, `more than ${MOST_PAIRS} pairs of pictures could be near-duplicates; the others were not looked at`);
        return;
      }
      signal.throwIfAborted();
      if (looked % 16 === 0) await setImmediate(); // decoding is work on the main thread: heartbeats get their turn
      const alike = correlation(await grey(row), await grey(like));
      if (alike === null || alike < LEAST_CORRELATION) continue;
      findings.add('near-duplicate', nearDuplicates, `pictures that train or validate look like a test picture`, `${row.key} (${row.split}) ~ ${like.key} (test), ${bits} of 64 bits differ`);
      break;
    }
  }
}
