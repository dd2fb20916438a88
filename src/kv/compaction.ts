import { type Key, keyAfter } from './key.js';
import type { KeyHistory } from './key-history.js';
import { type Mvcc, NEVER_COMPACTED } from './mvcc.js';

/**
 * The physical side of compaction. The compact revision has moved at once, and nobody reads below it any more; this walks
 * over the index in slices and takes out what has become unreachable, from memory and from the store.
 *
 * `finished` follows the compact revision. Both are written with every batch, so after a crash a walk that had not come to
 * its end begins again and comes to the same result.
 */
export class Compaction {
  readonly #mvcc: Mvcc;
  /** Everything that compaction at this revision leaves out is gone. */
  #finished: number;
  /** The revision of the walk under way. */
  #target = NEVER_COMPACTED;
  /** Where the walk goes on; null when none is under way. */
  #next: Key | null = null;

  constructor(mvcc: Mvcc, finished: number) {
    this.#mvcc = mvcc;
    this.#finished = finished;
  }

  get finished(): number {
    return this.#finished;
  }

  get hasWork(): boolean {
    return this.#finished < this.#mvcc.compactRevision;
  }

  /** Looks at up to `maxKeys` keys, and removes up to as many changes. Does nothing while somebody reads what is to go. */
  step(maxKeys: number): void {
    if (!this.hasWork) return;
    if (this.#next === null) {
      this.#target = this.#mvcc.compactRevision;
      this.#next = '';
    }
    if (this.#mvcc.isPinnedBefore(this.#target)) return;
    const { found, next } = this.#look(this.#next, maxKeys);
    this.#next = next;
    let left = maxKeys;
    for (const [key, history] of found) {
      const kept = history.firstKept(this.#target);
      this.#mvcc.forgetThrough(key, history, kept, left);
      left -= kept;
      if (left > 0) continue;
      // This key may have more to lose: the walk goes on with it.
      this.#next = key;
      return;
    }
    if (next === null) this.#finished = this.#target;
  }

  /** The keys of the next slice that have something to lose. The index must not lose keys while it is walked over. */
  #look(
    from: Key,
    maxKeys: number,
  ): { readonly found: readonly (readonly [Key, KeyHistory])[]; readonly next: Key | null } {
    const found: (readonly [Key, KeyHistory])[] = [];
    let next: Key | null = null;
    let left = maxKeys;
    this.#mvcc.index.visit(from, null, (key, history) => {
      if (history.firstKept(this.#target) > 0) found.push([key, history]);
      if (--left > 0) return false;
      next = keyAfter(key);
      return true;
    });
    return { found, next };
  }
}
