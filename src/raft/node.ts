import { runApplier } from './activities/applier.js';
import { runElection } from './activities/election.js';
import { runHeartbeat } from './activities/heartbeat.js';
import type { LogIndex, MemberId } from './messages.js';
import type { RaftOptions } from './options.js';
import type { ProposalOutcome } from './outbox.js';
import { PeerReceiver } from './peer-receiver.js';
import type { Loaded } from './ports.js';
import { Raft, type RaftPorts } from './raft.js';
import { abandonTransfer } from './rpc/install-snapshot.js';
import { bestSuccessor, transferLeadership } from './rpc/timeout-now.js';
import { endTurn } from './turn.js';

/** The door of consensus: starts the three activities, takes what members and clients ask, hands it to the struct. */
export class RaftNode {
  readonly raft: Raft;
  /** What peers may ask of this member. */
  readonly peerHandler: PeerReceiver;
  #activities: Promise<unknown> = Promise.resolve();

  constructor(id: MemberId, loaded: Loaded, options: RaftOptions, ports: RaftPorts) {
    this.raft = new Raft(id, loaded, options, ports, endTurn);
    this.peerHandler = new PeerReceiver(this.raft);
  }

  start(): void {
    const activities = [runElection, runHeartbeat, runApplier];
    this.#activities = Promise.all(
      activities.map((run) => run(this.raft).catch((error: unknown) => this.raft.fail(error))),
    );
  }

  /** Ends the activities; resolves when the last of them has let go of the state machine, and of a snapshot on its way in. */
  async stop(): Promise<void> {
    this.raft.stop();
    await this.#activities;
    await abandonTransfer(this.raft);
  }

  /** Brings a command towards the log of the leader, this member or another. `done` is called exactly once. */
  propose(payload: Buffer, deadline: number, done: (outcome: ProposalOutcome) => void): void {
    this.raft.outbox.addProposal({ payload, deadline, done });
    if (this.raft.stopped) this.raft.outbox.failAll();
    else this.raft.scheduleTurn();
  }

  /** An index that every write acknowledged before this call is at or before; null when no leader could confirm it in time. */
  readIndex(deadline: number, done: (readIndex: LogIndex | null) => void): void {
    this.raft.outbox.addRead({ deadline, done });
    if (this.raft.stopped) this.raft.outbox.failAll();
    else this.raft.scheduleTurn();
  }

  /**
   * Resolves when this member does not lead any more. Rejects with TransferError when it does not lead, or when the target
   * is unfit or too slow. Without a target: to the peer that needs least.
   */
  transferLeadership(target?: MemberId): Promise<void> {
    return new Promise((resolve, reject) => {
      transferLeadership(this.raft, target ?? bestSuccessor(this.raft), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
