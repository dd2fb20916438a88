import type { LogIndex } from './messages.js';

/** Messages with entries that may be under way to one peer before one of them is answered. */
export const MAX_INFLIGHT_APPENDS = 16;

/**
 * What a leader knows of one peer. Made anew at each election (§5.3).
 * Invariant: matchIndex < nextIndex.
 */
export class Progress {
  /** The next index to send. A guess that may move back. */
  nextIndex: LogIndex;
  /** The highest index known to equal ours on the peer's disk. Only grows within a term. */
  matchIndex: LogIndex = 0;
  /**
   * probe: the guess is unproven, one message at a time. replicate: proven, several messages in flight, each sent as if
   * the one before had arrived. snapshot: what the peer needs is compacted; a transfer is under way.
   */
  mode: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /** AppendEntries with entries (or a probe) sent and not yet answered or given up. */
  inflight = 0;
  /** Clock reading (ms) of the last reply in this term: check-quorum. */
  lastAckAt: number;
  /** Clock reading (ms) of the last message sent. */
  lastSentAt = -Infinity;
  /** Highest confirmation round that the peer has answered (read-index.ts). */
  ackedRound = 0;
  /** The highest commit index that a message told the peer, as far as it can use it. */
  sentCommitIndex: LogIndex = 0;
  /** Somebody at the peer waits for this index to be applied there: tell it of commits at once. */
  awaitedCommitIndex: LogIndex = 0;

  constructor(nextIndex: LogIndex, now: number) {
    this.nextIndex = nextIndex;
    this.lastAckAt = now;
  }

  /** Whether one more message with entries may leave. */
  get isPaused(): boolean {
    if (this.mode === 'snapshot') return true;
    return this.inflight >= (this.mode === 'probe' ? 1 : MAX_INFLIGHT_APPENDS);
  }

  /** The peer holds our log through `index` on its disk. Late or repeated: no harm. */
  raiseMatch(index: LogIndex): void {
    this.matchIndex = Math.max(this.matchIndex, index);
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
  }

  /** Start over from what is proven. */
  backToProbe(nextIndex: LogIndex): void {
    this.mode = 'probe';
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
  }
}
