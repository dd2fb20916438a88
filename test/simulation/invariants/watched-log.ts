import type { Entry, LogIndex, Term } from '../../../src/raft/messages.js';
import type { RaftLog } from '../../../src/raft/log.js';
import { EMPTY_PREFIX, type LogRegistry, type PrefixHash, extendPrefix } from './log-registry.js';
import { must } from './violation.js';

/** Follows the log of one process and keeps the hash of every prefix. The work is proportional to what changed. */
export class WatchedLog {
  #entries: Entry[] = [];
  #hashes: PrefixHash[] = [EMPTY_PREFIX];
  #markerIndex: LogIndex = -1;
  /** The end of the log when it was last looked at. */
  lastIndex: LogIndex = 0;

  constructor(
    private readonly log: RaftLog,
    private readonly registry: LogRegistry,
    private readonly who: string,
  ) {}

  /**
   * Looks at what has changed. @throws InvariantViolation LM
   * @returns the last index that is as it was before, Infinity when nothing was taken back.
   */
  update(): LogIndex {
    const { log } = this;
    // By what is there, not by the log's own word that something was taken back.
    const isSameEnd = log.lastIndex === this.lastIndex && this.#isSame(log.lastIndex);
    if (isSameEnd && log.marker.index === this.#markerIndex) return Infinity;
    const previousEnd = this.lastIndex;
    const kept = this.#keptThrough();
    this.#entries.length = kept + 1;
    this.#hashes.length = kept + 1;
    for (let index = kept + 1; index <= log.lastIndex; index++) this.#append(log.at(index));
    this.#markerIndex = log.marker.index;
    this.lastIndex = log.lastIndex;
    return kept < previousEnd ? kept : Infinity;
  }

  /** undefined for what was compacted before anybody looked. */
  prefix(index: LogIndex): PrefixHash | undefined {
    return index <= this.lastIndex ? this.#hashes[index] : undefined;
  }

  termAt(index: LogIndex): Term | null {
    return this.log.termAt(index);
  }

  #isSame(index: LogIndex): boolean {
    return index <= this.log.marker.index || this.#entries[index] === this.log.at(index);
  }

  #keptThrough(): LogIndex {
    const { log } = this;
    let kept = Math.min(this.lastIndex, log.lastIndex);
    while (kept > log.marker.index && !this.#isSame(kept)) kept--;
    if (kept > log.marker.index) return kept;
    const { index, term } = log.marker;
    const known = this.registry.prefix(index, term);
    must(
      known !== undefined,
      'LM',
      () => `${this.who} begins its log after (${index}, term ${term}), which nobody had`,
    );
    this.#hashes[index] = known ?? EMPTY_PREFIX;
    return index;
  }

  #append(entry: Entry): void {
    const hash = extendPrefix(this.#hashes[entry.index - 1] ?? EMPTY_PREFIX, entry);
    this.registry.enter(entry.index, entry.term, hash, this.who);
    this.#entries[entry.index] = entry;
    this.#hashes[entry.index] = hash;
  }
}
