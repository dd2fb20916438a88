import type { Random } from '../../src/lib/random.js';

/**
 * Randomness that a 64-bit seed fixes for ever: Chris Doty-Humphrey's sfc32 generator, seeded through SplitMix64.
 * Every part of a simulation draws from a fork of its own, so that one more draw in one part shifts nothing elsewhere.
 */
export class SeededRandom implements Random {
  readonly seed: bigint;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: bigint) {
    this.seed = BigInt.asUintN(64, seed);
    const first = splitMix64(this.seed);
    const second = splitMix64(this.seed + 1n);
    this.#a = Number(first & 0xffff_ffffn) | 0;
    this.#b = Number(first >> 32n) | 0;
    this.#c = Number(second & 0xffff_ffffn) | 0;
    for (let round = 0; round < 12; round++) this.word();
  }

  /** A generator of its own for the part called `name`. Depends on the seed and the name only, not on draws made so far. */
  fork(name: string): SeededRandom {
    let hash = this.seed ^ 0xcbf2_9ce4_8422_2325n;
    for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
    return new SeededRandom(splitMix64(hash));
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  unit(): number {
    return ((this.word() >>> 5) * 0x400_0000 + (this.word() >>> 6)) / 2 ** 53;
  }

  below(bound: number): number {
    if (!(bound >= 1 && bound < 2 ** 48)) throw new RangeError(`bound is ${bound}, expected 1 to 2^48 - 1`);
    return Math.floor(this.unit() * bound);
  }

  /** A whole number from `low` through `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** A real number in [low, high). */
  real(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** True with probability `p`. Always takes one draw, so that a changed `p` shifts nothing. */
  chance(p: number): boolean {
    return this.unit() < p;
  }

  /** Exponentially distributed around `mean`. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }

  /** Between `low` and `high` so that every order of magnitude is equally likely. Both above 0. */
  logUniform(low: number, high: number): number {
    return low * Math.exp(this.unit() * Math.log(high / low));
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to pick from');
    return chosen;
  }

  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }
}

function splitMix64(state: bigint): bigint {
  let z = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return z ^ (z >> 31n);
}
