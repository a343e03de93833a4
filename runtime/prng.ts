/** The whole state of a {@link Prng}: four uint32. */
export type PrngState = readonly [number, number, number, number];

/**
 * xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2021): its state is four
 * words, so that a checkpoint can hold it.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(state: PrngState) {
    [this.#a, this.#b, this.#c, this.#d] = state.map((word) => word >>> 0) as [number, number, number, number];
  }

  /** A generator of its own for each combination of labels, seeded by a hash of them. */
  static of(...labels: readonly (number | string)[]): Prng {
    let seed = hash(labels.join('/'));
    // splitmix32 fills the state, as the authors advise; it cannot give four zeros.
    const word = () => {
      seed = (seed + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(seed ^ (seed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    return new Prng([word(), word(), word(), word()]);
  }

  get state(): PrngState { return [this.#a, this.#b, this.#c, this.#d]; }
  set state(state: PrngState) { [this.#a, this.#b, this.#c, this.#d] = state; }

  uint32(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b = (this.#b ^ this.#c) >>> 0;
    this.#a = (this.#a ^ this.#d) >>> 0;
    this.#c = (this.#c ^ shifted) >>> 0;
    this.#d = rotate(this.#d, 11) >>> 0;
    return scrambled;
  }

  /** A number in [0, 1) with 53 random bits, as `Math.random` gives. */
  float = (): number => ((this.uint32() >>> 5) * 67_108_864 + (this.uint32() >>> 6)) / 9_007_199_254_740_992;

  /** A permutation of 0 … length - 1 (Fisher-Yates). */
  permutation(length: number): Uint32Array {
    const order = new Uint32Array(length);
    for (let index = 0; index < length; index += 1) {
      const other = Math.floor(this.float() * (index + 1));
      order[index] = order[other] ?? 0;
      order[other] = index;
    }
    return order;
  }
}

/** A positive int32 seed for a name, different for each seed of the training. */
export function namedSeed(seed: number, name: string): number {
  return hash(`${seed}/${name}`) & 0x7fffffff;
}

/** FNV-1a over UTF-16 code units, with a final mix (murmur3's). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
