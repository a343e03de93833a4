/** State of the generator: four words of 32 bits, not all zero. Plain numbers, so that it can be stored and gone on with. */
export type SamplerState = readonly [number, number, number, number];

/** A stream of pseudo-random numbers that the seed alone decides. Not for secrets. */
export interface Sampler {
  /** Whole number from 0 to 2^32 - 1. */
  uint32(): number;
  /** Number in [0, 1), a multiple of 2^-32. */
  share(): number;
  /** Whole number from 0 to `bound - 1`, each as likely as the others; `bound` from 1 to 2^32. */
  below(bound: number): number;
  /** `count` of the items (all, if there are fewer) without repetition, in random order. */
  choose<T>(items: readonly T[], count: number): T[];
  /** Where the stream is: `createSampler(state)` goes on from here. */
  state(): SamplerState;
}

const WORDS = 2 ** 32;

/**
 * xoshiro128** 1.1 by D. Blackman and S. Vigna ("Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021).
 * @param seed a whole number (spread over the state by SplitMix32, as its authors advise), or a stored state
 */
export function createSampler(seed: number | SamplerState): Sampler {
  let [a, b, c, d] = typeof seed === 'number' ? spread(seed) : restored(seed);

  const uint32 = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };

  const below = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > WORDS) throw new RangeError(`a bound is a whole number from 1 to 2^32, not ${bound}`);
    const limit = WORDS - (WORDS % bound);
    let drawn = uint32();
    while (drawn >= limit) drawn = uint32(); // what is left over above the limit would favour small numbers
    return drawn % bound;
  };

  const choose = <T>(items: readonly T[], count: number): T[] => {
    const rest = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) {
      const at = below(rest.length);
      const last = rest.pop() as T;
      chosen.push(at === rest.length ? last : (rest[at] as T));
      if (at < rest.length) rest[at] = last;
    }
    return chosen;
  };

  return { uint32, below, choose, share: () => uint32() / WORDS, state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0] };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function spread(seed: number): SamplerState {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a whole number, not ${seed}`);
  let word = seed | 0;
  // Of SplitMix32, with the finaliser of MurmurHash3; the upper half of a wide seed takes part as well.
  word ^= Math.imul(Math.floor(seed / WORDS) | 0, 0x9e3779b9);
  const next = (): number => {
    word = (word + 0x9e3779b9) | 0;
    let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  return [next(), next(), next(), next()];
}

function restored(state: SamplerState): SamplerState {
  const words = state.every((word) => Number.isInteger(word) && word >= 0 && word < WORDS) && state.length === 4;
  if (!words || state.every((word) => word === 0)) throw new RangeError('a sampler\'s state is four words of 32 bits, not all zero');
  return state;
}
