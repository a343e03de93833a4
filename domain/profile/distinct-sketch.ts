/** Registers: 2^11. */
const BITS = 11;
const REGISTERS = 1 << BITS;
/** Bits of the second half of a hash, of which the leading zeros count. */
const Q = 32;

/** Standard error of the estimate, as a share of it: 1.04 / √m (Flajolet et al., 2007). */
export const DISTINCT_ERROR = 1.04 / Math.sqrt(REGISTERS);

/**
 * How many different values a stream has, in 2 kB, mergeable without loss: P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, "HyperLogLog",
 * AofA 2007; the estimate is the improved one of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017,
 * arXiv:1702.01284, algorithm 6), which needs no correction for few values or many.
 */
export class DistinctSketch {
  readonly registers: Uint8Array;

  /** @param registers of a sketch that was stored */
  constructor(registers: Uint8Array = new Uint8Array(REGISTERS)) {
    if (registers.length !== REGISTERS) throw new RangeError(`a sketch of distinct values has ${REGISTERS} registers, not ${registers.length}`);
    this.registers = Uint8Array.from(registers);
  }

  /** Takes in the first `count` values. */
  addNumbers(values: Float64Array, count: number): void {
    const { registers } = this;
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * count);
    for (let index = 0; index < count; index += 1) {
      // Zero has two forms and one meaning.
      const zero = values[index] === 0;
      const low = zero ? 0 : words[2 * index] as number;
      const high = zero ? 0 : words[2 * index + 1] as number;
      const place = mixed(Math.imul(high, 0x9e3779b1) ^ low);
      const register = place >>> (32 - BITS);
      const rank = Math.clz32(mixed(Math.imul(low, 0x85ebca6b) ^ ((high + place) | 0))) + 1;
      if (rank > (registers[register] as number)) registers[register] = rank;
    }
  }

  /** The string hash cyrb53 (bryc, public domain), whose two halves are taken. */
  addText(text: string): void {
    let one = 0xdeadbeef;
    let two = 0x41c6ce57;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      one = Math.imul(one ^ code, 2654435761);
      two = Math.imul(two ^ code, 1597334677);
    }
    this.#add(mixed(one ^ (two >>> 13)), mixed(two ^ (one >>> 15)));
  }

  #add(place: number, rest: number): void {
    const register = place >>> (32 - BITS);
    const rank = Math.clz32(rest) + 1;
    if (rank > (this.registers[register] as number)) this.registers[register] = rank;
  }

  merge(other: DistinctSketch): void {
    other.registers.forEach((rank, register) => { if (rank > (this.registers[register] as number)) this.registers[register] = rank; });
  }

  estimate(): number {
    const counts = new Array<number>(Q + 2).fill(0);
    for (const rank of this.registers) counts[rank] = (counts[rank] as number) + 1;
    let z = REGISTERS * tau(1 - (counts[Q + 1] as number) / REGISTERS);
    for (let rank = Q; rank >= 1; rank -= 1) z = 0.5 * (z + (counts[rank] as number));
    z += REGISTERS * sigma((counts[0] as number) / REGISTERS);
    return (REGISTERS * REGISTERS) / (2 * Math.LN2) / z;
  }
}

/** Finalizer of MurmurHash3 (A. Appleby, public domain): every bit of the word moves every other. */
function mixed(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function sigma(x: number): number {
  if (x === 1) return Infinity;
  let [power, factor, sum, before] = [x, 1, x, -1];
  while (sum !== before) {
    power *= power;
    before = sum;
    sum += power * factor;
    factor += factor;
  }
  return sum;
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let [root, factor, sum, before] = [x, 1, 1 - x, -1];
  while (sum !== before) {
    root = Math.sqrt(root);
    before = sum;
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
