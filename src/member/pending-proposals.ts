import { KvError } from '../kv/errors.js';
import type { ApplyOutcome, KvResult } from '../kv/results.js';
import type { ProposalOutcome } from '../raft/outbox.js';
import type { Done } from './api.js';
import { MemberError } from './errors.js';

interface Pending {
  readonly done: Done<KvResult>;
  /** Clock reading (ms). */
  readonly deadline: number;
  /** The term in which it was taken in: a change of leader since explains a timeout. */
  readonly term: number;
  /** Where it stands in the leader's log; 0 while that is not known. */
  index: number;
}

/**
 * Who waits for which command. A command is recognised by (boot id, sequence) when it is applied here, whoever appended
 * it. When another entry is applied at its index, it is lost for good.
 */
export class PendingProposals {
  #nextSequence = 1;
  /** In the order of their sequences, and so, with equal patience, of their deadlines. */
  readonly #pending = new Map<number, Pending>();
  readonly #sequenceAt = new Map<number, number>();

  constructor(readonly bootId: number) {}

  get size(): number {
    return this.#pending.size;
  }

  /** The sequence under which `done` now waits. */
  add(done: Done<KvResult>, deadline: number, term: number): number {
    const sequence = this.#nextSequence++;
    this.#pending.set(sequence, { done, deadline, term, index: 0 });
    return sequence;
  }

  /** What became of it on its way into a log. */
  onOutcome(sequence: number, outcome: ProposalOutcome): void {
    const pending = this.#pending.get(sequence);
    if (!pending) return;
    if (outcome.kind === 'refused') {
      this.#end(sequence, pending, refusal(outcome.error));
    } else if (outcome.kind === 'appended') {
      pending.index = outcome.index;
      this.#sequenceAt.set(outcome.index, sequence);
    }
  }

  /** The state machine has applied the entry at `index`; the command in it, if any, came to `outcome`. */
  onApplied(
    index: number,
    command: { readonly bootId: number; readonly sequence: number } | null,
    outcome: ApplyOutcome | null,
  ): void {
    const expected = this.#sequenceAt.get(index);
    const sequence = command?.bootId === this.bootId ? command.sequence : undefined;
    if (expected !== undefined && expected !== sequence) {
      const lost = this.#pending.get(expected);
      if (lost)
        this.#end(
          expected,
          lost,
          new MemberError('MEMBER_LEADER_CHANGED', `another entry was committed at index ${index}`),
        );
    }
    const pending = sequence === undefined ? undefined : this.#pending.get(sequence);
    if (sequence === undefined || !pending || outcome === null) return;
    if (outcome instanceof KvError) this.#end(sequence, pending, outcome);
    else this.#end(sequence, pending, null, outcome);
  }

  /** Lets go of those whose time is over. Whether they will be applied is unknown. */
  expire(now: number, currentTerm: number): void {
    for (const [sequence, pending] of this.#pending) {
      if (pending.deadline > now) break;
      const code = pending.term === currentTerm ? 'MEMBER_TIMEOUT' : 'MEMBER_TIMEOUT_LEADER_FAILURE';
      this.#end(sequence, pending, new MemberError(code, 'the proposal was not applied in time'));
    }
  }

  failAll(): void {
    for (const [sequence, pending] of this.#pending) {
      this.#end(
        sequence,
        pending,
        new MemberError('MEMBER_STOPPED', 'the member has stopped; the write may yet be applied'),
      );
    }
  }

  #end(sequence: number, pending: Pending, error: Error | null, result?: KvResult): void {
    this.#pending.delete(sequence);
    if (pending.index > 0 && this.#sequenceAt.get(pending.index) === sequence) this.#sequenceAt.delete(pending.index);
    if (error || !result) pending.done(error);
    else pending.done(null, result);
  }
}

function refusal(error: Error): MemberError {
  const isOverload = 'code' in error && error.code === 'RAFT_OVERLOADED';
  return new MemberError(isOverload ? 'MEMBER_TOO_MANY_REQUESTS' : 'MEMBER_STOPPED', error.message);
}
