import sortedBtree from 'sorted-btree';
import { type Key, compareKeys } from './key.js';

const { default: BTree } = sortedBtree;

/** A set of keys made of intervals, each with an end. Kept as disjoint ones. */
export class KeyIntervals {
  /** From where to where, the end exclusive. */
  #ends = new BTree<Key, Key>(undefined, compareKeys);

  /** How many disjoint intervals it takes. */
  get size(): number {
    return this.#ends.size;
  }

  covers(key: Key): boolean {
    const interval = this.#ends.getPairOrNextLower(key);
    return interval !== undefined && key < interval[1];
  }

  /** Whether any of the intervals satisfies the predicate. */
  some(predicate: (from: Key, end: Key) => boolean): boolean {
    return this.#ends.toArray().some(([from, end]) => predicate(from, end));
  }

  /** An `end` at or before `from` adds nothing. */
  add(from: Key, end: Key): void {
    if (end <= from) return;
    let first = from;
    let last = end;
    const before = this.#ends.getPairOrNextLower(from);
    if (before !== undefined && before[1] >= from) first = before[0];
    for (;;) {
      const next = this.#ends.getPairOrNextHigher(first);
      if (next === undefined || next[0] > last) break;
      if (next[1] > last) last = next[1];
      this.#ends.delete(next[0]);
    }
    this.#ends.set(first, last);
  }

  /** Adds all of `other`, which must not be used afterwards: the larger one of the two is kept. */
  absorb(other: KeyIntervals): void {
    const [larger, smaller] = this.size < other.size ? [other.#ends, this.#ends] : [this.#ends, other.#ends];
    this.#ends = larger;
    for (const [from, end] of smaller.toArray()) this.add(from, end);
  }
}
