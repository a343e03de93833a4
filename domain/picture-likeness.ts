/** Columns and rows of cells whose neighbours are compared. */
const [ACROSS, DOWN] = [9, 8];

/**
 * 64 bits that say what a picture looks like, row by row: whether each of 9 × 8 cells is darker than the one to its right. Source: dHash, N. Krawetz,
 * "Kind of Like That" (2013). Brightness, contrast, size and mild noise change few of them.
 * @param pixels uint8 `[height, width, channels]`, one channel or three (weights of ITU-R BT.601)
 */
export function differenceHash(pixels: Uint8Array, shape: { readonly height: number; readonly width: number; readonly channels: number }): bigint {
  const cells = greyCells(pixels, shape, ACROSS, DOWN);
  let hash = 0n;
  for (let at = 0; at < cells.length; at += 1) {
    if (at % ACROSS === ACROSS - 1) continue;
    hash = (hash << 1n) | ((cells[at] ?? 0) < (cells[at + 1] ?? 0) ? 1n : 0n);
  }
  return hash;
}

/** Mean grey of `across` × `down` cells of a picture; of one that has fewer pixels, each of them counts for several cells. */
export function greyCells(pixels: Uint8Array, { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number }, across: number, down: number): Float64Array {
  const cells = new Float64Array(across * down);
  const ends = (cell: number, count: number, length: number): [number, number] => {
    const from = Math.min(length - 1, Math.floor((cell * length) / count));
    return [from, Math.max(from + 1, Math.floor(((cell + 1) * length) / count))];
  };
  for (let row = 0; row < down; row += 1) {
    const [top, bottom] = ends(row, down, height);
    for (let column = 0; column < across; column += 1) {
      const [left, right] = ends(column, across, width);
      let sum = 0;
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) {
          const at = (y * width + x) * channels;
          sum += channels < 3 ? pixels[at] ?? 0 : 0.299 * (pixels[at] ?? 0) + 0.587 * (pixels[at + 1] ?? 0) + 0.114 * (pixels[at + 2] ?? 0);
        }
      }
      cells[row * across + column] = sum / ((bottom - top) * (right - left));
    }
  }
  return cells;
}

/** Bits in which two hashes differ. */
export function hammingDistance(left: bigint, right: bigint): number {
  const differing = left ^ right;
  return ones(Number(differing >> 32n)) + ones(Number(differing & 0xffffffffn));
}

function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Finds hashes within a distance without comparing all pairs: of `distance + 1` parts of the bits, one at least is the same. Source: M. Norouzi, A. Punjani
 * and D. Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012.
 */
export class LikenessIndex {
  private readonly parts: { readonly shift: bigint; readonly mask: bigint; readonly known: Map<bigint, bigint[]> }[];
  private readonly hashes = new Set<bigint>();

  constructor(private readonly distance: number) {
    const count = distance + 1;
    const edge = (part: number) => BigInt(Math.floor((64 * part) / count));
    this.parts = Array.from({ length: count }, (_, part) => ({ shift: edge(part), mask: (1n << (edge(part + 1) - edge(part))) - 1n, known: new Map<bigint, bigint[]>() }));
  }

  add(hash: bigint): void {
    if (this.hashes.has(hash)) return;
    this.hashes.add(hash);
    for (const { shift, mask, known } of this.parts) {
      const part = (hash >> shift) & mask;
      const same = known.get(part);
      if (same) same.push(hash);
      else known.set(part, [hash]);
    }
  }

  /** The hashes within the distance, nearest first. */
  near(hash: bigint): { readonly hash: bigint; readonly distance: number }[] {
    const found = new Map<bigint, number>();
    for (const { shift, mask, known } of this.parts) {
      for (const other of known.get((hash >> shift) & mask) ?? []) {
        if (found.has(other)) continue;
        const distance = hammingDistance(hash, other);
        if (distance <= this.distance) found.set(other, distance);
      }
    }
    return [...found].map(([other, distance]) => ({ hash: other, distance })).sort((a, b) => a.distance - b.distance || (a.hash < b.hash ? -1 : 1));
  }
}
