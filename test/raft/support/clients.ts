import type { LogIndex } from '../../../src/raft/messages.js';
import type { ProposalOutcome } from '../../../src/raft/outbox.js';
import type { Member } from './member.js';

/** Somebody who asked a member for something, and what they have heard so far. */
export interface Client {
  readonly line: string;
  onCrash(member: Member): void;
}

/** A command on its way into the log. Knows where it stands, not whether it is committed: that is the state machine's to say. */
export class ProposalClient implements Client {
  outcome: ProposalOutcome | 'waiting' | 'lost' = 'waiting';
  /** How often the member has called back: exactly once is allowed. */
  answers = 0;

  constructor(
    readonly payload: string,
    private readonly member: Member,
    timeoutMs: number,
  ) {
    member.up.propose(Buffer.from(payload), member.now() + timeoutMs, (outcome) => {
      this.answers++;
      this.outcome = outcome;
    });
  }

  get line(): string {
    return `${this.payload}: ${this.#words}${this.answers > 1 ? ` (told ${this.answers} times)` : ''}`;
  }

  onCrash(member: Member): void {
    if (member === this.member && this.outcome === 'waiting') this.outcome = 'lost';
  }

  get #words(): string {
    const { outcome } = this;
    if (typeof outcome === 'string') return outcome;
    if (outcome.kind === 'appended') return `appended ${outcome.index}@${outcome.term}`;
    return outcome.kind === 'refused' ? `refused, ${outcome.error.message}` : 'unknown';
  }
}

/** A linearizable read: asks for an index, waits until that is applied, then looks at the state machine. */
export class ReadClient implements Client {
  #state: 'waiting' | 'failed' | 'lost' | { readonly index: LogIndex; readonly answer: readonly string[] | null } =
    'waiting';

  constructor(
    readonly name: string,
    private readonly member: Member,
    timeoutMs: number,
    onIndex: (index: LogIndex) => void,
  ) {
    const { raft } = member.up;
    member.up.readIndex(member.now() + timeoutMs, (index) => {
      if (index === null) {
        this.#state = 'failed';
        return;
      }
      this.#state = { index, answer: null };
      onIndex(index);
      raft.start(async () => {
        while (raft.lastApplied < index && !raft.stopped) await raft.applied.wait();
        if (!raft.stopped) this.#state = { index, answer: [...member.applied] };
      });
    });
  }

  get line(): string {
    const state = this.#state;
    if (typeof state === 'string') return `${this.name}: ${state}`;
    if (!state.answer) return `${this.name}: waits until ${state.index} is applied`;
    return `${this.name}: read at ${state.index}: ${state.answer.join(' ') || 'nothing'}`;
  }

  onCrash(member: Member): void {
    if (
      member === this.member &&
      (this.#state === 'waiting' || (typeof this.#state === 'object' && !this.#state.answer))
    )
      this.#state = 'lost';
  }
}

export class TransferClient implements Client {
  #state = 'waiting';

  constructor(
    private readonly from: Member,
    private readonly target: Member | null,
  ) {
    from.up.transferLeadership(target?.id).then(
      () => (this.#state = 'done'),
      (error: unknown) => (this.#state = `failed, ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  get line(): string {
    return `${this.from.name} to ${this.target?.name ?? 'anybody'}: ${this.#state}`;
  }

  onCrash(member: Member): void {
    if (member === this.from && this.#state === 'waiting') this.#state = 'lost';
  }
}
