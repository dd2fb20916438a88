import type { LogIndex, MemberId, Term } from '../../../src/raft/messages.js';
import type { DurableLog } from '../durable-log.js';
import { LogRegistry } from './log-registry.js';
import { must } from './violation.js';

/** What a god would know of the cluster: every disk, every vote, every leader, everything committed. */
export class ClusterView {
  readonly registry = new LogRegistry();
  readonly #durable: ReadonlyMap<MemberId, DurableLog>;
  readonly #leaders = new Map<Term, string>();
  readonly #votes = new Map<string, MemberId>();
  lastLeaderTerm: Term = 0;

  constructor(durable: ReadonlyMap<MemberId, DurableLog>) {
    this.#durable = durable;
  }

  get quorum(): number {
    return Math.floor(this.#durable.size / 2) + 1;
  }

  durable(id: MemberId): DurableLog {
    const durable = this.#durable.get(id);
    if (durable === undefined) throw new Error(`no member ${id} in this cluster`);
    return durable;
  }

  /** Members whose disk holds the entry. */
  copiesOf(index: LogIndex, term: Term): number {
    let copies = 0;
    for (const durable of this.#durable.values()) if (durable.holds(index, term)) copies++;
    return copies;
  }

  leaderOf(term: Term): string | null {
    return this.#leaders.get(term) ?? null;
  }

  enterLeader(term: Term, who: string): void {
    this.#leaders.set(term, who);
    this.lastLeaderTerm = Math.max(this.lastLeaderTerm, term);
  }

  /** `voter` has let the world know of its vote. @throws InvariantViolation VOTE, DUR */
  enterVote(voter: MemberId, name: string, term: Term, candidate: MemberId): void {
    const key = `${voter}/${term}`;
    const earlier = this.#votes.get(key);
    must(
      earlier === undefined || earlier === candidate,
      'VOTE',
      () => `${name} voted for ${earlier} and for ${candidate} in term ${term}`,
    );
    this.#votes.set(key, candidate);
    const { currentTerm, votedFor } = this.durable(voter);
    must(
      currentTerm > term || (currentTerm === term && votedFor === candidate),
      'DUR',
      () => `${name} voted for ${candidate} in term ${term}, its disk says ${votedFor} in term ${currentTerm}`,
    );
  }
}
