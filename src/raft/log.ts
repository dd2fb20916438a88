import { InvariantError } from './errors.js';
import type { Entry, LogIndex, SnapshotMarker, Term } from './messages.js';

/** The log after the last snapshot, in memory. Index arithmetic and nothing else: what may be done to it is decided elsewhere. */
export class RaftLog {
  #entries: Entry[] = [];
  #sizeBytes = 0;
  #marker: SnapshotMarker;
  /** Rises whenever entries are taken back, so that a late word about an earlier content is recognised (C12). */
  #epoch = 0;

  constructor(marker: SnapshotMarker, entries: readonly Entry[]) {
    this.#marker = marker;
    for (const entry of entries) this.append(entry);
  }

  /** Where the log begins: the entry before the first one. Its term is known, its payload is not kept. */
  get marker(): SnapshotMarker {
    return this.#marker;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Lowest index that `at` can give, if any entry is there. */
  get firstIndex(): LogIndex {
    return this.#marker.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#marker.index + this.#entries.length;
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#marker.term;
  }

  /** Bytes of all records held. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** @throws InvariantError when the log does not hold `index`. */
  at(index: LogIndex): Entry {
    const entry = this.#entries[index - this.firstIndex];
    if (!entry) {
      throw new InvariantError(`log holds ${this.firstIndex} to ${this.lastIndex}, entry ${index} was asked for`);
    }
    return entry;
  }

  /** The term at `index`, or null when that index is before the marker or after the end. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#marker.index) return this.#marker.term;
    return this.#entries[index - this.firstIndex]?.term ?? null;
  }

  /** Whether a log that ends in (term, index) is at least as up-to-date as this one (§5.4.1). */
  isUpToDate(lastLogTerm: Term, lastLogIndex: LogIndex): boolean {
    return lastLogTerm > this.lastTerm || (lastLogTerm === this.lastTerm && lastLogIndex >= this.lastIndex);
  }

  append(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1 || entry.term < this.lastTerm) {
      throw new InvariantError(
        `entry (term ${entry.term}, index ${entry.index}) cannot follow (term ${this.lastTerm}, index ${this.lastIndex})`,
      );
    }
    this.#entries.push(entry);
    this.#sizeBytes += entry.record.length;
  }

  /** Takes back everything from `index` on. */
  truncateFrom(index: LogIndex): void {
    if (index <= this.#marker.index) {
      throw new InvariantError(`log cannot be cut at ${index}, it begins after ${this.#marker.index}`);
    }
    for (const gone of this.#entries.splice(index - this.firstIndex)) this.#sizeBytes -= gone.record.length;
    this.#epoch++;
  }

  /** Consecutive entries from `from`, at least one if there is one, and not more than `maxBytes` beyond the first. */
  slice(from: LogIndex, maxBytes: number): Entry[] {
    const start = from - this.firstIndex;
    let end = start;
    let bytes = 0;
    while (end < this.#entries.length) {
      const size = this.#entries[end]?.record.length ?? 0;
      if (end > start && bytes + size > maxBytes) break;
      bytes += size;
      end++;
    }
    return this.#entries.slice(start, end);
  }

  /** From `from` through `through`, both included. */
  between(from: LogIndex, through: LogIndex): Entry[] {
    return this.#entries.slice(from - this.firstIndex, through - this.firstIndex + 1);
  }

  /** The last index at or before `index` whose term is at most `term`: where two logs may still agree (C15). */
  lastIndexWithTermAtMost(index: LogIndex, term: Term): LogIndex {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.#marker.index && this.at(candidate).term > term) candidate--;
    return candidate;
  }

  /** Forgets entries through `marker.index`. They are in the state machine's store. */
  compact(marker: SnapshotMarker): void {
    if (this.termAt(marker.index) !== marker.term) {
      throw new InvariantError(
        `log has term ${this.termAt(marker.index)} at ${marker.index}, marker says ${marker.term}`,
      );
    }
    for (const gone of this.#entries.splice(0, marker.index - this.#marker.index))
      this.#sizeBytes -= gone.record.length;
    this.#marker = marker;
  }

  /** The log of a member that has just taken over a snapshot. Without `keepFollowing` nothing but the marker is left. */
  restartAt(marker: SnapshotMarker, keepFollowing: boolean): void {
    if (keepFollowing) {
      this.compact(marker);
      return;
    }
    this.#entries = [];
    this.#sizeBytes = 0;
    this.#marker = marker;
    this.#epoch++;
  }
}
