import { RECORD_HEADER_BYTES, encodeRecords } from '../raft/entry-codec.js';
import type { Entry, LogIndex } from '../raft/messages.js';
import type { Database, Operation } from './disk.js';
import { chunkKey } from './keyspace.js';

/** A chunk ends before it would grow beyond this. A larger entry has one of its own. */
export const MAX_CHUNK_BYTES = 1024 * 1024;

/** First and last index of a chunk: the records of consecutive entries under one key. */
interface Bounds {
  readonly first: LogIndex;
  readonly last: LogIndex;
}

/**
 * Which chunks the log on disk consists of, and how the next write changes them. Changes are staged one after the other
 * and come out as the operations of a single batch; entries that a later change of the same write replaces never reach
 * the disk.
 */
export class RaftChunks {
  readonly #database: Database;
  /** Ascending and without a gap: what the disk holds once the staged operations are written. */
  readonly #chunks: Bounds[] = [];
  /** Chunks from this index on go, or are cut; Infinity for none. */
  #replaceFrom: LogIndex = Infinity;
  /** Consecutive, from `#replaceFrom` on. */
  #staged: Entry[] = [];
  #operations: Operation[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** A chunk found on disk. In ascending order, before anything is staged. */
  found(first: LogIndex, last: LogIndex): void {
    this.#chunks.push({ first, last });
  }

  /** Replaces the log from the first of these entries on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0]!.index;
    this.#replaceFrom = Math.min(this.#replaceFrom, first);
    const begin = this.#staged[0]?.index ?? first;
    this.#staged.length = Math.max(0, Math.min(this.#staged.length, first - begin));
    for (const entry of entries) this.#staged.push(entry);
  }

  /** Drops the chunks that hold nothing after `index`. One that straddles it stays as it is. */
  dropThrough(index: LogIndex): void {
    let covered = 0;
    for (const chunk of this.#chunks) {
      if (chunk.last > index) break;
      this.#operations.push({ key: chunkKey(chunk.last), value: null });
      covered++;
    }
    this.#chunks.splice(0, covered);
  }

  dropAll(): void {
    this.dropThrough(Infinity);
    this.#staged = [];
    this.#replaceFrom = Infinity;
  }

  /** The operations for what was staged, which then is no longer. */
  takeOperations(): Operation[] {
    this.#cutFrom(this.#replaceFrom);
    this.#replaceFrom = Infinity;
    this.#putStaged();
    const operations = this.#operations;
    this.#operations = [];
    return operations;
  }

  #cutFrom(index: LogIndex): void {
    for (let chunk = this.#chunks.at(-1); chunk && chunk.last >= index; chunk = this.#chunks.at(-1)) {
      this.#chunks.pop();
      const key = chunkKey(chunk.last);
      this.#operations.push({ key, value: null });
      if (chunk.first < index) this.#put(chunk.first, index - 1, this.#head(key, index - chunk.first));
    }
  }

  /** The first records of a chunk, as they are. */
  #head(key: Buffer, count: number): Buffer {
    const records = this.#database.get(key);
    if (records === undefined) throw new Error(`chunk ${key.toString('hex')} of the log has vanished`);
    let end = 0;
    for (let record = 0; record < count; record++) end += RECORD_HEADER_BYTES + records.readUInt32BE(end);
    return records.subarray(0, end);
  }

  #putStaged(): void {
    const entries = this.#staged;
    this.#staged = [];
    let begin = 0;
    let sizeBytes = 0;
    for (let end = 0; end <= entries.length; end++) {
      const record = entries[end]?.record;
      if (end > begin && (record === undefined || sizeBytes + record.length > MAX_CHUNK_BYTES)) {
        const chunk = begin === 0 && end === entries.length ? entries : entries.slice(begin, end);
        this.#put(chunk[0]!.index, chunk.at(-1)!.index, encodeRecords(chunk));
        begin = end;
        sizeBytes = 0;
      }
      sizeBytes += record?.length ?? 0;
    }
  }

  #put(first: LogIndex, last: LogIndex, records: Buffer): void {
    this.#chunks.push({ first, last });
    this.#operations.push({ key: chunkKey(last), value: records });
  }
}
