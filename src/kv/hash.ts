import { crc32 } from '../lib/crc32.js';
import { compacted, futureRevision } from './errors.js';
import type { KeyHistory } from './key-history.js';
import { type Key, keyAfter } from './key.js';
import type { Mvcc } from './mvcc.js';
import { encodeRevision } from './revision-record.js';

/** What members compare. Equal revisions and compact revisions must give equal hashes. */
export interface KeySpaceHash {
  /** Unsigned 32 bits. */
  readonly hash: number;
  readonly compactRevision: number;
  /** The last revision that is in it. */
  readonly revision: number;
}

/**
 * A hash over the history of all keys, up to a revision, taken in slices. It goes by what compaction leaves, not by what
 * has already been removed, so that it does not matter how far the removal has come.
 */
export class HashRead {
  readonly #mvcc: Mvcc;
  readonly #revision: number;
  readonly #compactRevision: number;
  #hash = 0;
  #next: Key | null = '';
  #isOpen = true;

  /**
   * @param revision 0: the current one
   * @throws KvError KV_COMPACTED, KV_FUTURE_REVISION
   */
  constructor(mvcc: Mvcc, revision: number) {
    if (revision > mvcc.revision) throw futureRevision(revision, mvcc.revision);
    if (revision > 0 && revision < mvcc.compactRevision) throw compacted(revision, mvcc.compactRevision);
    this.#mvcc = mvcc;
    this.#revision = revision === 0 ? mvcc.revision : revision;
    this.#compactRevision = mvcc.compactRevision;
    mvcc.pin(this.#compactRevision);
  }

  /** Goes over at most `maxKeys` more keys. Null: call again. The answer comes once, and closes the read. */
  step(maxKeys: number): KeySpaceHash | null {
    if (!this.#isOpen) throw new Error('this hash has been answered or closed');
    const from = this.#next;
    let left = maxKeys;
    this.#next = null;
    if (from !== null) {
      this.#mvcc.index.visit(from, null, (key, history) => {
        this.#visit(history);
        if (--left > 0) return false;
        this.#next = keyAfter(key);
        return true;
      });
    }
    if (this.#next !== null) return null;
    this.close();
    return { hash: this.#hash, compactRevision: this.#compactRevision, revision: this.#revision };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#mvcc.unpin(this.#compactRevision);
  }

  #visit(history: KeyHistory): void {
    for (let position = history.firstKept(this.#compactRevision); position <= history.newest; position++) {
      const main = history.main(position);
      if (main > this.#revision) return;
      const sub = history.sub(position);
      this.#hash = crc32(encodeRevision(main, sub), this.#hash);
      this.#hash = crc32(this.#mvcc.records.readOnce(main, sub), this.#hash);
    }
  }
}

/** A hash over what the index says of every change that compaction leaves. For tests: the records say the same. */
export function hashIndex(mvcc: Mvcc): number {
  let hash = 0;
  mvcc.index.visit('', null, (key, history) => {
    for (let position = history.firstKept(mvcc.compactRevision); position <= history.newest; position++) {
      const numbers = [
        history.main(position),
        history.sub(position),
        history.create(position),
        history.version(position),
      ];
      hash = crc32(Buffer.from(`${key} ${numbers.join(' ')}`), hash);
    }
    return false;
  });
  return hash;
}
