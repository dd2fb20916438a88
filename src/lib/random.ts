import { randomInt } from 'node:crypto';

/** Randomness as the rest of the program sees it, so that a seed can replay a run. */
export interface Random {
  /** A whole number in [0, bound). `bound` is at most 2^48 - 1. */
  below(bound: number): number;
}

/** The operating system's randomness. */
export class SystemRandom implements Random {
  below(bound: number): number {
    return randomInt(bound);
  }
}
