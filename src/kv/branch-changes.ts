import sortedBtree from 'sorted-btree';
import { KvError } from './errors.js';
import { FROM_KEY, type Key, compareKeys, keyAfter } from './key.js';
import { KeyIntervals } from './key-intervals.js';
import type { DeleteRangeRequest } from './wire/requests.js';

const { default: BTree } = sortedBtree;

const STOP = { break: 1 };

/**
 * The keys that one branch of a transaction puts and deletes, nested transactions included. No key may be put twice, or put
 * and deleted: which came last would decide.
 *
 * A request may nest a hundred thousand of them deeply, so all of it is done by going through the smaller side.
 */
export class BranchChanges {
  #puts = new BTree<Key, true>(undefined, compareKeys);
  readonly #deletes = new KeyIntervals();

  /** Like etcd, says nothing about a deletion without an upper end. */
  delete(request: DeleteRangeRequest): void {
    if (request.rangeEnd === FROM_KEY) return;
    this.#deletes.add(request.key, request.rangeEnd === '' ? keyAfter(request.key) : request.rangeEnd);
  }

  /** @throws KvError KV_DUPLICATE_KEY */
  put(key: Key): void {
    if (this.#puts.has(key) || this.#deletes.covers(key)) throw duplicateKey();
    this.#puts.set(key, true);
  }

  /**
   * Adds what a nested transaction may change. Like etcd, says nothing about what it deletes and an earlier one puts.
   *
   * @param nested must not be used afterwards
   * @throws KvError KV_DUPLICATE_KEY
   */
  absorb(nested: BranchChanges): void {
    if (this.#putsMeet(nested) || this.#deletesMeet(nested)) throw duplicateKey();
    this.unite(nested);
  }

  /** Adds what the other, excluding branch may change. `other` must not be used afterwards. */
  unite(other: BranchChanges): void {
    const [larger, smaller] =
      this.#puts.size < other.#puts.size ? [other.#puts, this.#puts] : [this.#puts, other.#puts];
    this.#puts = larger;
    for (const key of smaller.keysArray()) larger.set(key, true);
    this.#deletes.absorb(other.#deletes);
  }

  #putsMeet(nested: BranchChanges): boolean {
    const [larger, smaller] =
      this.#puts.size < nested.#puts.size ? [nested.#puts, this.#puts] : [this.#puts, nested.#puts];
    return smaller.keysArray().some((key) => larger.has(key));
  }

  #deletesMeet(nested: BranchChanges): boolean {
    const puts = nested.#puts;
    if (puts.size <= this.#deletes.size) return puts.keysArray().some((key) => this.#deletes.covers(key));
    return this.#deletes.some((from, end) => puts.forRange(from, end, false, () => STOP) > 0);
  }
}

function duplicateKey(): KvError {
  return new KvError('KV_DUPLICATE_KEY', 'a key is put twice, or put and deleted, in one branch of the transaction');
}
