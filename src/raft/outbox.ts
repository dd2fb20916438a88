import { OverloadedError, StoppedError } from './errors.js';
import type { LogIndex, Term } from './messages.js';
import type { ReadIndexDone } from './read-rounds.js';

/** Proposals and reads that may wait for a leader at one member. */
export const MAX_WAITING_REQUESTS = 20_000;
/** Bytes of proposals that may wait for a leader at one member. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * What became of a proposal on its way into a log. `appended` says where, if it is ever committed; `refused` that it is
 * surely in no log; `unknown` that it may be in one.
 */
export type ProposalOutcome =
  | { readonly kind: 'appended'; readonly index: LogIndex; readonly term: Term }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'unknown' };

export interface WaitingProposal {
  readonly payload: Buffer;
  /** Clock reading (ms) after which it is not sent any more: it is dropped before it can take effect (X13). */
  readonly deadline: number;
  readonly done: (outcome: ProposalOutcome) => void;
}

export interface WaitingRead {
  readonly deadline: number;
  readonly done: ReadIndexDone;
}

/** What a member has been asked and only a leader can do. At the end of a turn it goes to the log, or to the leader. */
export class Outbox {
  #proposals: WaitingProposal[] = [];
  #reads: WaitingRead[] = [];
  #bytes = 0;
  /** Clock reading (ms) before which nothing is sent: the leader has just refused. */
  pausedUntil = -Infinity;

  get isEmpty(): boolean {
    return this.#proposals.length === 0 && this.#reads.length === 0;
  }

  addProposal(proposal: WaitingProposal): void {
    if (this.#proposals.length >= MAX_WAITING_REQUESTS || this.#bytes >= MAX_WAITING_BYTES) {
      const error = new OverloadedError(
        `${this.#proposals.length} proposals wait already; try again when they are done`,
      );
      proposal.done({ kind: 'refused', error });
      return;
    }
    this.#proposals.push(proposal);
    this.#bytes += proposal.payload.length;
  }

  addRead(read: WaitingRead): void {
    if (this.#reads.length >= MAX_WAITING_REQUESTS) read.done(null);
    else this.#reads.push(read);
  }

  takeProposals(): WaitingProposal[] {
    const taken = this.#proposals;
    this.#proposals = [];
    this.#bytes = 0;
    return taken;
  }

  takeReads(): WaitingRead[] {
    const taken = this.#reads;
    this.#reads = [];
    return taken;
  }

  /** Gives up what nobody waits for any more. */
  expire(now: number): void {
    if (this.#proposals.some((proposal) => proposal.deadline <= now)) {
      for (const proposal of this.takeProposals()) {
        if (proposal.deadline > now) this.addProposal(proposal);
        else proposal.done({ kind: 'unknown' });
      }
    }
    if (this.#reads.some((read) => read.deadline <= now)) {
      for (const read of this.takeReads()) {
        if (read.deadline > now) this.addRead(read);
        else read.done(null);
      }
    }
  }

  failAll(): void {
    const error = new StoppedError('the member is stopping');
    for (const proposal of this.takeProposals()) proposal.done({ kind: 'refused', error });
    for (const read of this.takeReads()) read.done(null);
  }
}
