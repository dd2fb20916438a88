import { KeyHistory } from './key-history.js';
import type { KeyIndex } from './key-index.js';
import type { Key } from './key.js';
import { decodeRecord, encodeRecord } from './revision-record.js';
import type { RevisionStore } from './revision-store.js';

/** The revision of a store that nobody has written to. */
export const FIRST_REVISION = 1;

/** The compact revision of a store that was never compacted. */
export const NEVER_COMPACTED = -1;

const NO_VALUE = Buffer.alloc(0);

/**
 * The key space with its history. Every change lands at once in the index, under the next revision; commit() makes that
 * revision the current one and rollback() takes the changes back. Nothing else can happen in between, since commands are
 * applied one after the other within one turn of the event loop.
 */
export class Mvcc {
  readonly index: KeyIndex;
  readonly records: RevisionStore;
  #revision: number;
  /** Reads below this revision fail. Only compaction moves it, and only up. */
  compactRevision: number;
  /** Changes made under the next revision, not yet committed. */
  #changes = 0;
  /** Keys in the index whose newest change is a deletion. */
  #deletedKeys: number;
  /** How many readers are at which revision. Compaction beyond it waits for them. */
  readonly #pins = new Map<number, number>();

  constructor(index: KeyIndex, records: RevisionStore, revision: number, compactRevision: number, deletedKeys: number) {
    this.index = index;
    this.records = records;
    this.#revision = revision;
    this.compactRevision = compactRevision;
    this.#deletedKeys = deletedKeys;
  }

  /** The current revision: that of the last command that changed a key. */
  get revision(): number {
    return this.#revision;
  }

  /** What a reader sees as current: within a transaction, from its first change on, the revision that it will make. */
  get visibleRevision(): number {
    return this.#changes > 0 ? this.#revision + 1 : this.#revision;
  }

  /** Whether every key in the index exists now: then an interval can be counted without looking at each. */
  get everyKeyIsLive(): boolean {
    return this.#deletedKeys === 0;
  }

  /** The key's history if it exists as of the changes made so far. */
  findLive(key: Key): KeyHistory | undefined {
    const history = this.index.find(key);
    return history?.isLive === true ? history : undefined;
  }

  put(key: Key, value: Uint8Array, lease: bigint): void {
    const main = this.#revision + 1;
    const sub = this.#changes;
    const history = this.index.find(key);
    let create = main;
    let version = 1;
    if (history === undefined) {
      this.index.insert(key, new KeyHistory(main, sub, create, version));
    } else {
      if (history.isLive) {
        create = history.create(history.newest);
        version = history.version(history.newest) + 1;
      } else {
        this.#deletedKeys--;
      }
      history.append(main, sub, create, version);
    }
    this.records.append(main, encodeRecord(key, create, main, sub, version, value, lease));
    this.#changes++;
  }

  /** @param history the key's, which must be live */
  delete(key: Key, history: KeyHistory): void {
    const main = this.#revision + 1;
    const sub = this.#changes;
    history.append(main, sub, 0, 0);
    this.#deletedKeys++;
    this.records.append(main, encodeRecord(key, 0, main, sub, 0, NO_VALUE, 0n));
    this.#changes++;
  }

  /** The key's current KeyValue, encoded. */
  readNewest(history: KeyHistory): Buffer {
    return this.read(history, history.newest);
  }

  /** The KeyValue as of one change in the history, encoded. */
  read(history: KeyHistory, position: number): Buffer {
    return this.records.read(history.main(position), history.sub(position));
  }

  commit(): void {
    if (this.#changes === 0) return;
    this.#revision++;
    this.#changes = 0;
  }

  rollback(): void {
    const main = this.#revision + 1;
    const records = this.records.untaken(main);
    for (let sub = this.#changes - 1; sub >= 0; sub--) {
      this.#undo(decodeRecord(records[sub] as Buffer, main, sub).key);
    }
    if (this.#changes > 0) this.records.undo(main);
    this.#changes = 0;
  }

  /** Removes from memory and store what compaction leaves out of a key's history, at most `limit` changes of it. */
  forgetThrough(key: Key, history: KeyHistory, kept: number, limit: number): void {
    const count = Math.min(kept, limit);
    // Oldest first, so that what a crash leaves behind is still a history.
    for (let position = 0; position < count; position++) {
      this.records.remove(history.main(position), history.sub(position));
    }
    if (count <= history.newest) {
      history.forget(count);
      return;
    }
    this.index.remove(key);
    this.#deletedKeys--;
  }

  /** Holds compaction beyond `revision` off until unpin() has been called as often. */
  pin(revision: number): void {
    this.#pins.set(revision, (this.#pins.get(revision) ?? 0) + 1);
  }

  unpin(revision: number): void {
    const readers = this.#pins.get(revision) ?? 0;
    if (readers === 0) throw new Error(`revision ${revision} is not pinned`);
    if (readers === 1) this.#pins.delete(revision);
    else this.#pins.set(revision, readers - 1);
  }

  /** Whether somebody reads at a revision before `revision`. */
  isPinnedBefore(revision: number): boolean {
    for (const pinned of this.#pins.keys()) if (pinned < revision) return true;
    return false;
  }

  #undo(key: Key): void {
    const history = this.index.find(key);
    if (history === undefined) throw new Error('a change under way has no history');
    if (history.newest === 0) {
      this.index.remove(key);
      return;
    }
    const wasLive = history.isLive;
    history.undo();
    if (wasLive !== history.isLive) this.#deletedKeys += wasLive ? 1 : -1;
  }
}
