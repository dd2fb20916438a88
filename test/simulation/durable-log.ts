import { decodeRecords } from '../../src/raft/entry-codec.js';
import type { LogIndex, MemberId, Term } from '../../src/raft/messages.js';
import { RAFT_DATABASE } from '../../src/storage/keyspace.js';
import { decodeMarker, decodeState } from '../../src/storage/raft-records.js';
import { must } from './invariants/violation.js';
import type { Batch, VolumeObserver } from './volume.js';

const CHUNK_PREFIX = 'e';

/** What of one member's log and hard state would be found after a power cut at this moment. Kept up with every sync. */
export class DurableLog implements VolumeObserver {
  currentTerm: Term = 0;
  votedFor: MemberId | null = null;
  lastIndex: LogIndex = 0;
  /** Where the log begins; what is before is in the state machine's store. */
  markerIndex: LogIndex = 0;
  markerTerm: Term = 0;
  readonly #terms: Term[] = [];
  #promised: { readonly index: LogIndex; readonly term: Term; readonly inTerm: Term } | null = null;

  onSynced(database: string, batches: readonly Batch[]): void {
    if (database !== RAFT_DATABASE) return;
    for (const { operations } of batches) {
      for (const [key, value] of operations) if (value !== null) this.#put(key, value);
    }
    const promised = this.#promised;
    // Only the leader of a later term may have it replaced.
    must(
      promised === null || promised.inTerm < this.currentTerm || this.holds(promised.index, promised.term),
      'DUR',
      () => `a disk lost index ${promised?.index} of term ${promised?.term}, which was acknowledged in this term`,
    );
  }

  /** The member has told the leader of `inTerm` that it holds this entry. */
  promise(index: LogIndex, term: Term, inTerm: Term): void {
    const isNews = this.#promised === null || inTerm > this.#promised.inTerm || index > this.#promised.index;
    if (isNews) this.#promised = { index, term, inTerm };
  }

  /** Whether an entry of this index and term is safe here, in the log or, compacted, in what precedes it. */
  holds(index: LogIndex, term: Term): boolean {
    if (index < this.markerIndex) return true;
    return this.termAt(index) === term;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === this.markerIndex) return this.markerTerm;
    return index > this.markerIndex && index <= this.lastIndex ? this.#terms[index] : undefined;
  }

  #put(key: string, value: Buffer): void {
    if (key === 's') {
      const state = decodeState(value);
      if (state === null) throw new Error('the record of term and vote cannot be read back');
      this.currentTerm = state.hardState.currentTerm;
      this.votedFor = state.hardState.votedFor;
      this.lastIndex = state.lastIndex;
    } else if (key === 'm') {
      const marker = decodeMarker(value);
      if (marker === null) throw new Error('the snapshot marker cannot be read back');
      this.markerIndex = marker.index;
      this.markerTerm = marker.term;
    } else if (key.startsWith(CHUNK_PREFIX)) {
      for (const { index, term } of decodeRecords(value)) this.#terms[index] = term;
    }
  }
}
