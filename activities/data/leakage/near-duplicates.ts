import { decode } from 'fast-png';
import { setImmediate } from 'node:timers/promises';
import { PictureLeakage } from '../../../definition/leakage.js';
import { correlation } from '../../../domain/correlation.js';
import { greyCells, LikenessIndex } from '../../../domain/picture-likeness.js';
import type { Findings } from '../findings.js';
import type { Images, PictureRow } from '../picture-rows.js';
import type { Spill } from '../spill.js';

/** Cells, each way, over which pictures whose hashes are near are compared, and how alike they have to be there. */
const CELLS = 16;
const LEAST_CORRELATION = 0.97;
/** Pairs that are looked at again for each question; behind them the count is one of at least. */
const MOST_PAIRS = 2_000;

interface Question {
  readonly severity: 'block' | 'warn' | 'off';
  readonly message: string;
  /** Pictures that are looked up, and those that are held against them. */
  readonly among: (row: PictureRow) => boolean;
  readonly asked: (row: PictureRow) => boolean;
  readonly pair: (row: PictureRow, like: PictureRow) => boolean;
  readonly name: (row: PictureRow) => string;
}

/**
 * Reports pictures of other splits that look like a test picture, and such as look alike under two classes: hashes of their looks find candidates,
 * their grey values decide. The same pixels are no near-duplicate; they were left out before.
 */
export async function checkNearDuplicates(rows: readonly PictureRow[], spill: Spill, data: Images, findings: Findings, signal: AbortSignal): Promise<void> {
  const { nearDuplicates, otherClass, distance } = PictureLeakage.parse(data.leakage ?? {});
  const questions: Question[] = [
    {
      severity: nearDuplicates, message: 'pictures that train or validate look like a test picture', name: ({ key, split }) => `${key} (${split})`,
      among: ({ split }) => split === 'test', asked: ({ split }) => split !== 'test', pair: () => true,
    },
    {
      severity: otherClass, message: 'pictures look alike under two classes; is one of them labelled wrongly?', name: ({ key, label }) => `${key} (${label})`,
      among: ({ label }) => label !== data.target.classes[0], asked: () => true,
      // Each pair once: the one of the earlier class is asked.
      pair: (row, like) => data.target.classes.indexOf(row.label) < data.target.classes.indexOf(like.label),
    },
  ];
  const grey = async ({ place }: PictureRow) => {
    const { data: pixels, channels } = decode(await spill.read(place));
    return greyCells(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength), { ...data.image, channels }, CELLS, CELLS);
  };
  for (const { severity, message, among, asked, pair, name } of questions) {
    if (severity === 'off') continue;
    const { byLooks, index } = indexOf(rows.filter(among), distance);
    let looked = 0;
    for (const row of rows.filter(asked)) {
      const candidates = index.near(row.looks).flatMap(({ hash, distance: bits }) => (byLooks.get(hash) ?? []).filter((like) => pair(row, like)).map((like) => ({ like, bits })));
      for (const { like, bits } of candidates) {
        if (++looked > MOST_PAIRS) break;
        signal.throwIfAborted();
        if (looked % 16 === 0) await setImmediate(); // decoding is work on the main thread: heartbeats get their turn
        const alike = correlation(await grey(row), await grey(like));
        if (alike === null || alike < LEAST_CORRELATION) continue;
        findings.add('near-duplicate', severity, message, `${name(row)} ~ ${name(like)}, ${bits} of 64 bits differ`);
        break;
      }
    }
    if (looked > MOST_PAIRS) findings.add('near-duplicate', severity, `${message}: more than ${MOST_PAIRS} pairs could be; the others were not looked at`);
  }
}

/** Of pictures with one hash the first of each class is kept. */
function indexOf(rows: readonly PictureRow[], distance: number): { byLooks: Map<bigint, PictureRow[]>; index: LikenessIndex } {
  const byLooks = new Map<bigint, PictureRow[]>();
  const index = new LikenessIndex(distance);
  for (const row of rows) {
    const known = byLooks.get(row.looks) ?? [];
    if (known.some(({ label }) => label === row.label)) continue;
    byLooks.set(row.looks, [...known, row]);
    index.add(row.looks);
  }
  return { byLooks, index };
}
