import type { Clock } from '../lib/clock.js';
import type { RaftNode } from '../raft/node.js';
import type { Done } from './api.js';
import type { AppliedWaiters } from './applied-waiters.js';
import { MemberError } from './errors.js';
import type { ReplicatedState } from './replicated-state.js';

/** Confirmed reads that may wait for the state machine at one member. */
export const MAX_WAITING_READS = 50_000;

/** What linearizable reads wait for: a confirmed read index, and the state machine to have come that far. */
export class ReadBarrier {
  constructor(
    private readonly node: RaftNode,
    private readonly state: ReplicatedState,
    private readonly waiters: AppliedWaiters,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  /** Calls back when everything acknowledged before this call is applied here. */
  pass(done: Done<void>): void {
    if (this.waiters.size >= MAX_WAITING_READS) {
      done(new MemberError('MEMBER_TOO_MANY_REQUESTS', `${this.waiters.size} reads wait to be answered already`));
      return;
    }
    const deadline = this.clock.now() + this.timeoutMs;
    this.node.readIndex(deadline, (readIndex) => {
      if (readIndex === null) done(errorOf(this.node.raft.stopped ? 'stopped' : 'late'));
      else if (this.state.lastApplied >= readIndex) done(null);
      else
        this.waiters.add({
          index: readIndex,
          deadline,
          resume: (end) => done(end === 'applied' ? null : errorOf(end)),
        });
    });
  }
}

function errorOf(end: 'late' | 'stopped'): MemberError {
  if (end === 'stopped') return new MemberError('MEMBER_STOPPED', 'the member has stopped');
  return new MemberError('MEMBER_TIMEOUT', 'the read was not confirmed and applied in time');
}
