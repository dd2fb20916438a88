import { LRUCache } from 'lru-cache';
import type { KvStore, KvWrite } from './ports.js';
import { REVISION_KEY_BYTES, damagedRevision, encodeRevision, keyValueOf, verifyRecord } from './revision-record.js';

/** What an entry of the cache takes beside the record. */
const CACHE_ENTRY_BYTES = 200;

/** A record larger than this share of the cache is not cached. */
const CACHE_ENTRY_SHARE = 1 / 8;

/** Writes to hand to the store, and what to tell back once they are there. */
export interface RevisionBatch {
  readonly writes: KvWrite[];
  /** The last revision in it. */
  readonly through: number;
  readonly bytes: number;
}

/**
 * The values behind the index: every change under its revision. New ones stay in memory until they have been flushed;
 * older ones come from the store, through a cache.
 */
export class RevisionStore {
  readonly #store: KvStore;
  readonly #cache: LRUCache<number | string, Buffer>;
  /** Records of the revisions from #unflushedFrom on, by revision and then by sub. */
  #unflushed: Buffer[][] = [];
  #unflushedFrom: number;
  /** The first revision that no batch has taken yet. */
  #untakenFrom: number;
  #untakenBytes = 0;
  #batchBytes = 0;
  /** Revisions to remove from the store: main, sub, main, sub, ... */
  #removals: number[] = [];
  #count: number;

  /**
   * @param revision the last one that the store holds
   * @param count how many records it holds
   */
  constructor(store: KvStore, revision: number, count: number, cacheBytes: number) {
    this.#store = store;
    this.#unflushedFrom = revision + 1;
    this.#untakenFrom = revision + 1;
    this.#count = count;
    this.#cache = new LRUCache({
      maxSize: cacheBytes,
      maxEntrySize: Math.max(1, Math.floor(cacheBytes * CACHE_ENTRY_SHARE)),
      sizeCalculation: (kv) => kv.length + CACHE_ENTRY_BYTES,
    });
  }

  /** Records that there are, flushed or not. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of changes that are not in the store yet, those on their way included. */
  get pendingBytes(): number {
    return this.#untakenBytes + this.#batchBytes;
  }

  /** `main` is the last revision or the one after it; `sub` counts from 0. */
  append(main: number, record: Buffer): void {
    const position = main - this.#unflushedFrom;
    const records = this.#unflushed[position];
    if (records === undefined) this.#unflushed[position] = [record];
    else records.push(record);
    this.#untakenBytes += record.length + REVISION_KEY_BYTES;
    this.#count++;
  }

  /** The records of a revision that no batch has taken yet. */
  untaken(main: number): readonly Buffer[] {
    return this.#unflushed[main - this.#unflushedFrom] ?? [];
  }

  /** Forgets the last revision, before any batch has taken it. */
  undo(main: number): void {
    for (const record of this.untaken(main)) {
      this.#untakenBytes -= record.length + REVISION_KEY_BYTES;
      this.#count--;
    }
    this.#unflushed.length = main - this.#unflushedFrom;
  }

  /** The encoded KeyValue of a change, as a view. The change must exist. @throws DamagedStoreError */
  read(main: number, sub: number): Buffer {
    if (main >= this.#unflushedFrom) return this.#readUnflushed(main, sub);
    const name = sub === 0 ? main : `${main}.${sub}`;
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const kv = this.#load(main, sub);
    this.#cache.set(name, kv);
    return kv;
  }

  /** Like read, for passing once over everything: the cache stays as it is. */
  readOnce(main: number, sub: number): Buffer {
    if (main >= this.#unflushedFrom) return this.#readUnflushed(main, sub);
    return this.#cache.peek(sub === 0 ? main : `${main}.${sub}`) ?? this.#load(main, sub);
  }

  /** Removes a change that nobody will read any more. */
  remove(main: number, sub: number): void {
    this.#removals.push(main, sub);
    this.#untakenBytes += REVISION_KEY_BYTES;
    this.#count--;
  }

  /** Everything that has changed since the last batch. */
  takeBatch(): RevisionBatch {
    const writes: KvWrite[] = [];
    const end = this.#unflushedFrom + this.#unflushed.length;
    for (let main = this.#untakenFrom; main < end; main++) {
      const records = this.#unflushed[main - this.#unflushedFrom] ?? [];
      for (const [sub, value] of records.entries()) {
        writes.push({ table: 'revision', key: encodeRevision(main, sub), value });
      }
    }
    // After the puts: a change may go before it ever was in the store.
    for (let at = 0; at < this.#removals.length; at += 2) {
      const key = encodeRevision(this.#removals[at] as number, this.#removals[at + 1] as number);
      writes.push({ table: 'revision', key, value: null });
    }
    const bytes = this.#untakenBytes;
    this.#removals = [];
    this.#untakenFrom = end;
    this.#untakenBytes = 0;
    this.#batchBytes += bytes;
    return { writes, through: end - 1, bytes };
  }

  /** The store has the batch, and all before it. */
  flushed(batch: RevisionBatch): void {
    this.#batchBytes -= batch.bytes;
    if (batch.through < this.#unflushedFrom) return;
    this.#unflushed.splice(0, batch.through + 1 - this.#unflushedFrom);
    this.#unflushedFrom = batch.through + 1;
  }

  clearCache(): void {
    this.#cache.clear();
  }

  #readUnflushed(main: number, sub: number): Buffer {
    const record = this.#unflushed[main - this.#unflushedFrom]?.[sub];
    if (record === undefined) throw new Error(`revision ${main}.${sub} is in the index but was never made`);
    return keyValueOf(record);
  }

  #load(main: number, sub: number): Buffer {
    const record = this.#store.get('revision', encodeRevision(main, sub));
    if (record === undefined) throw damagedRevision(main, sub, 'the record is gone');
    verifyRecord(record, main, sub);
    return keyValueOf(record);
  }
}
