import { Condition } from '../lib/condition.js';
import { InvariantError } from './errors.js';
import { makeEntry } from './entry-codec.js';
import { ForwardedSequences } from './forwarded-sequences.js';
import type { IncomingInstall, IncomingTransfer } from './incoming-install.js';
import { RaftLog } from './log.js';
import type { Configuration, Entry, HardState, LogIndex, MemberId, Role, SnapshotMarker, Term } from './messages.js';
import type { RaftOptions } from './options.js';
import type { Change, Clock, Loaded, Logger, Random, RaftStore, StateMachine, Transport } from './ports.js';
import { Progress } from './progress.js';
import { LeadershipTransfer } from './leadership-transfer.js';
import { Outbox } from './outbox.js';
import { hasQuorum, quorumReached } from './quorum.js';
import { ReadRounds } from './read-rounds.js';

/** What consensus asks of the world. */
export interface RaftPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: RaftStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine;
  readonly logger: Logger;
  /** Called once, when the member can not go on: the disk failed, or an invariant broke. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Everything one member knows about consensus: the State box of Figure 2, in the paper's order, and the Rules for Servers.
 *
 * Every method is synchronous: one turn of the event loop is the lock, and an `await` is where the lock is let go.
 * What follows an `await` only calls a method here, or a function of rpc/, which checks again what was true before.
 */
export class Raft {
  // Persistent: on disk before any word that relies on it leaves (§5.1).
  /** Latest term seen. Starts at 0; never decreases. */
  currentTerm: Term;
  /** Who has this member's vote in currentTerm; null until it is given. Kept when stepping down within a term (C06). */
  votedFor: MemberId | null;
  /** Entries after the last snapshot. The first index is 1; index 0 is the empty log. */
  readonly log: RaftLog;
  /** Who belongs. */
  readonly configuration: Configuration;

  // Volatile on every member.
  role: Role = 'follower';
  /** Where to send what only a leader can do; null between leaders. A hint, never a proof. */
  leaderId: MemberId | null = null;
  /** Highest index known to be on a majority. Invariant: lastApplied <= commitIndex <= log.lastIndex. */
  commitIndex: LogIndex;
  /** Highest index given to the state machine. Only the applier moves it. */
  lastApplied: LogIndex;
  /** Highest index that this member's own disk holds, of the log as it is now. Invariant: savedIndex <= log.lastIndex. */
  savedIndex: LogIndex;
  /** Highest index handed to the store. Invariant: savedIndex <= handedIndex <= log.lastIndex. */
  handedIndex: LogIndex;
  /** Clock reading (ms) at the last word from a live leader, vote given or campaign begun. runElection polls it; no timer exists. */
  lastHeardFromLeader: number;
  /** Silence (ms) that makes this member campaign. Redrawn for each election. */
  electionTimeoutMs = 0;
  /** A complete snapshot that waits for the applier to put it in place. While it is set, nothing is acknowledged (C45). */
  pendingInstall: IncomingInstall | null = null;
  /** A snapshot of which some chunks are here. */
  incomingTransfer: IncomingTransfer | null = null;
  /** One chunk at a time is written. A repeated one is told where we are. */
  isReceivingSnapshot = false;
  /** Settles when the newest chunk is written or given up. */
  chunkUnderWay: Promise<void> = Promise.resolve();

  // Volatile on a candidate: who said yes in this campaign.
  readonly votes = new Set<MemberId>();

  // Volatile on a leader, rebuilt at each election.
  readonly progress = new Map<MemberId, Progress>();
  /** Bytes of records after commitIndex. */
  uncommittedBytes = 0;
  /** Where the log of those begins who are being sent a snapshot: compaction leaves them what follows it (C42). */
  readonly outgoingSnapshots = new Set<SnapshotMarker>();
  readonly readRounds = new ReadRounds();
  readonly forwardedSequences = new ForwardedSequences();
  readonly transfer = new LeadershipTransfer();

  /** A compaction of the log is under way. */
  isCompacting = false;

  /** Drawn at each start: what an earlier life of this member sent is never taken for this one's. */
  readonly bootId: number;
  /** Sequence of the next proposal that is forwarded to a leader. */
  nextForwardSequence = 1;
  /** Proposals and reads of this member that wait to be sent to the leader. */
  readonly outbox = new Outbox();

  /** Woken whenever commitIndex or savedIndex grows, a snapshot is ready, and at stop. */
  readonly commitAdvanced = new Condition();
  /** Woken whenever lastApplied grows, and at stop. */
  readonly applied = new Condition();
  /** Woken whenever role, term or leader change, and at stop. */
  readonly leadershipChanged = new Condition();

  stopped = false;
  /** Why the member stopped by itself; null otherwise. */
  failure: Error | null = null;

  #lastSave: Promise<void> = Promise.resolve();
  /** Clock readings (ms) at which the saves began that are not done yet. */
  readonly #savesSince: number[] = [];
  /** Count of hard states handed to the store, and of those known to be on disk. */
  #hardStates = 0;
  #savedHardStates = 0;
  #turnIsDue = false;

  constructor(
    readonly id: MemberId,
    loaded: Loaded,
    readonly options: RaftOptions,
    readonly ports: RaftPorts,
    /** Sends what this turn has made ready: turn.ts. Given from outside, since it stands above the state. */
    private readonly endTurn: (raft: Raft) => void,
  ) {
    this.currentTerm = loaded.hardState.currentTerm;
    this.votedFor = loaded.hardState.votedFor;
    this.log = new RaftLog(loaded.snapshot, loaded.entries);
    this.configuration = loaded.snapshot.configuration;
    this.commitIndex = this.lastApplied = ports.stateMachine.lastApplied;
    this.savedIndex = this.handedIndex = this.log.lastIndex;
    this.lastHeardFromLeader = ports.clock.now() - headStartMs(options);
    this.bootId = ports.random.below(2 ** 48 - 1);
    this.drawElectionTimeout();
    this.check(
      this.lastApplied >= this.log.marker.index && this.lastApplied <= this.log.lastIndex,
      () => `state machine has applied ${this.lastApplied}, log holds ${this.log.firstIndex} to ${this.log.lastIndex}`,
    );
  }

  get isVoter(): boolean {
    return this.configuration.voters.includes(this.id);
  }

  get peers(): MemberId[] {
    return this.configuration.voters.filter((voter) => voter !== this.id);
  }

  // Rules for Servers, all servers.

  /** A higher term always wins. Returns true when it did, and this member has become a follower of nobody yet. */
  observeTerm(term: Term): boolean {
    if (term <= this.currentTerm) return false;
    this.becomeFollower(term, null);
    return true;
  }

  /** Word has come from the leader of `term`, which is not below currentTerm. */
  followLeader(term: Term, leaderId: MemberId): void {
    this.check(
      !(term === this.currentTerm && this.role === 'leader'),
      () => `two leaders in term ${term}: ${this.id} and ${leaderId}`,
    );
    this.check(
      !(term === this.currentTerm && this.leaderId !== null && this.leaderId !== leaderId),
      () => `two leaders in term ${term}: ${this.leaderId} and ${leaderId}`,
    );
    if (term > this.currentTerm || this.role !== 'follower' || this.leaderId !== leaderId)
      this.becomeFollower(term, leaderId);
    this.lastHeardFromLeader = this.ports.clock.now();
  }

  becomeFollower(term: Term, leaderId: MemberId | null): void {
    const wasLeader = this.role === 'leader';
    this.role = 'follower';
    this.leaderId = leaderId;
    if (term > this.currentTerm) {
      this.currentTerm = term;
      this.votedFor = null;
      this.saveHardState();
    }
    this.votes.clear();
    if (wasLeader) this.#layDownLeadership();
    this.ports.logger.info(
      { term, leaderId: hexOrNull(leaderId) },
      leaderId === null ? 'became follower' : 'following leader',
    );
    this.#announceLeadership();
  }

  /** Asks who would vote for this member in the next term. Term and vote stay (thesis 9.6). */
  becomePreCandidate(): void {
    this.#beginCampaign('preCandidate');
  }

  /** A new term, and the own vote. It counts once it is on disk (C09). */
  becomeCandidate(): void {
    this.currentTerm += 1;
    this.votedFor = this.id;
    this.saveHardState();
    this.#beginCampaign('candidate');
  }

  /** A majority has voted for this member. The no-op lets it commit at once what earlier terms left (§8). */
  becomeLeader(): void {
    this.check(this.role === 'candidate', () => `only a candidate becomes leader, this member is ${this.role}`);
    this.role = 'leader';
    this.leaderId = this.id;
    this.votes.clear();
    this.progress.clear();
    this.uncommittedBytes = sizeOf(this.log.between(this.commitIndex + 1, this.log.lastIndex));
    this.forwardedSequences.clear();
    const now = this.ports.clock.now();
    for (const peer of this.peers) this.progress.set(peer, new Progress(this.log.lastIndex + 1, now));
    this.appendToLog(Buffer.alloc(0));
    this.ports.logger.info({ term: this.currentTerm, index: this.log.lastIndex }, 'became leader');
    this.#announceLeadership();
  }

  /** Whether a majority has been heard within an election timeout; if not, a leader may have a successor it knows nothing of. */
  hasFreshQuorum(): boolean {
    const oldest = this.ports.clock.now() - this.options.electionTimeoutMs;
    return hasQuorum(
      this.configuration.voters,
      (voter) => voter === this.id || (this.progress.get(voter)?.lastAckAt ?? -Infinity) >= oldest,
    );
  }

  /** A leader is known and was heard within the shortest election timeout: no reason to vote for anybody else (thesis 4.2.3). */
  hearsLeader(): boolean {
    if (this.role === 'leader') return true;
    return this.leaderId !== null && this.ports.clock.now() - this.lastHeardFromLeader < this.options.electionTimeoutMs;
  }

  drawElectionTimeout(): void {
    const { electionTimeoutMs } = this.options;
    this.electionTimeoutMs = electionTimeoutMs + this.ports.random.below(Math.max(1, Math.floor(electionTimeoutMs)));
  }

  // Rules for Servers, leaders.

  /** Appends a command of this leader's term. It reaches disk and peers with everything else of this turn. */
  appendToLog(payload: Uint8Array): Entry {
    const entry = makeEntry(this.log.lastIndex + 1, this.currentTerm, payload);
    this.log.append(entry);
    this.uncommittedBytes += entry.record.length;
    this.scheduleTurn();
    return entry;
  }

  /** §5.3, §5.4.2: a majority holds it on disk, and it is of the leader's own term. Everything before it comes along. */
  advanceCommitIndex(): void {
    if (this.role !== 'leader') return;
    const index = quorumReached(this.configuration.voters, (voter) => this.#matchIndexOf(voter));
    if (index > this.commitIndex && this.log.termAt(index) === this.currentTerm) {
      this.raiseCommitIndex(index);
      this.scheduleTurn(); // reads may have waited for the first commit of the term, peers may wait to hear of this one
    }
  }

  /** Followers: as far as the leader's message has proved our log to be the leader's (C02). */
  raiseCommitIndex(index: LogIndex): void {
    if (index <= this.commitIndex) return;
    this.check(
      index <= this.log.lastIndex,
      () => `commit index ${index} is beyond the log, which ends at ${this.log.lastIndex}`,
    );
    if (this.role === 'leader') {
      this.uncommittedBytes -= sizeOf(this.log.between(this.commitIndex + 1, index));
    }
    this.commitIndex = index;
    this.commitAdvanced.notifyAll();
  }

  /** Whether this leader has committed an entry of its own term, and so knows what is committed (§8). */
  hasCommittedInTerm(): boolean {
    return this.log.termAt(this.commitIndex) === this.currentTerm;
  }

  #matchIndexOf(voter: MemberId): LogIndex {
    return voter === this.id ? this.savedIndex : (this.progress.get(voter)?.matchIndex ?? 0);
  }

  // The log and the disk.

  /** Takes back what conflicts with the leader's log. Never anything committed (C04). */
  truncateFrom(index: LogIndex): void {
    this.check(
      index > this.commitIndex,
      () => `entry ${index} conflicts with the leader's, but everything through ${this.commitIndex} is committed`,
    );
    this.log.truncateFrom(index);
    this.savedIndex = Math.min(this.savedIndex, index - 1);
    this.handedIndex = Math.min(this.handedIndex, index - 1);
  }

  /** The state machine now is a snapshot: the log begins there (§7). Without `keepFollowing` it is empty behind it (C40). */
  restartLogAt(marker: SnapshotMarker, keepFollowing: boolean): void {
    this.log.restartAt(marker, keepFollowing);
    this.savedIndex = keepFollowing ? Math.max(this.savedIndex, marker.index) : marker.index;
    this.handedIndex = keepFollowing ? Math.max(this.handedIndex, marker.index) : marker.index;
    this.lastApplied = marker.index;
    this.commitIndex = Math.max(this.commitIndex, marker.index);
    this.applied.notifyAll();
  }

  /** Hands to the store what it does not have yet of the log. */
  saveLog(): void {
    if (this.handedIndex === this.log.lastIndex) return;
    const entries = this.log.between(this.handedIndex + 1, this.log.lastIndex);
    this.handedIndex = this.log.lastIndex;
    this.#save({ entries });
  }

  saveHardState(): void {
    this.#hardStates++;
    this.#save({ hardState: this.hardState });
  }

  get hardState(): HardState {
    return { currentTerm: this.currentTerm, votedFor: this.votedFor };
  }

  /** Null when term, vote and the log through `index` are on disk; otherwise a promise that settles when they may be. */
  untilSaved(index: LogIndex): Promise<void> | null {
    return this.savedIndex >= index && this.#savedHardStates === this.#hardStates ? null : this.#lastSave;
  }

  /** How long (ms) the disk has kept the oldest save waiting; 0 when none waits. */
  get diskStallMs(): number {
    const [since] = this.#savesSince;
    return since === undefined ? 0 : this.ports.clock.now() - since;
  }

  #save(change: Change): void {
    const { epoch, lastIndex } = this.log;
    const hardStates = this.#hardStates;
    this.#savesSince.push(this.ports.clock.now());
    this.#lastSave = this.ports.store.save(change).then(
      () => this.guard(() => this.#onSaved(epoch, change.entries ? lastIndex : 0, hardStates)),
      (error: unknown) => this.fail(error),
    );
  }

  /** Saves end in the order in which they began, so one that ends vouches for all before it. */
  #onSaved(epoch: number, lastIndex: LogIndex, hardStates: number): void {
    this.#savesSince.shift();
    this.#savedHardStates = Math.max(this.#savedHardStates, hardStates);
    // Entries were taken back since: what this save wrote is not, or will not stay, on disk. The save after it will tell (C12).
    if (epoch !== this.log.epoch || lastIndex <= this.savedIndex) return;
    this.savedIndex = lastIndex;
    this.advanceCommitIndex();
    this.commitAdvanced.notifyAll();
  }

  /** Asks for `endTurn`, once, after everything that has arrived in this turn of the event loop. Group commit. */
  scheduleTurn(): void {
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    this.ports.clock.defer(() => {
      this.#turnIsDue = false;
      if (!this.stopped) this.guard(() => this.endTurn(this));
    });
  }

  // Ends.

  /** Runs a decision. Whatever it throws means that this member can no longer be trusted. */
  guard<T>(decide: () => T): T | undefined {
    try {
      return decide();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  /** Starts a task that nobody awaits. Its failure is the member's. */
  start(task: () => Promise<void>): void {
    task().catch((error: unknown) => this.fail(error));
  }

  /** @throws InvariantError unless `holds`. */
  check(holds: boolean, message: () => string): void {
    if (!holds) throw new InvariantError(message());
  }

  /** The member can not go on. A member that is unsure stops. */
  fail(thrown: unknown): void {
    if (this.stopped) return;
    this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.ports.logger.fatal({ err: this.failure }, 'consensus stopped');
    this.stop();
    this.ports.onFailure(this.failure);
  }

  /** Ends the loops and lets go of everybody who waits. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.readRounds.failAll();
    this.transfer.end();
    this.outbox.failAll();
    this.pendingInstall?.installed();
    this.commitAdvanced.notifyAll();
    this.applied.notifyAll();
    this.leadershipChanged.notifyAll();
  }

  #beginCampaign(role: 'preCandidate' | 'candidate'): void {
    this.role = role;
    this.leaderId = null;
    this.votes.clear();
    this.lastHeardFromLeader = this.ports.clock.now();
    this.drawElectionTimeout();
    this.ports.logger.info({ term: this.currentTerm, role }, 'campaigning');
    this.#announceLeadership();
  }

  #layDownLeadership(): void {
    this.progress.clear();
    this.uncommittedBytes = 0;
    this.readRounds.failAll();
    this.transfer.end();
    this.lastHeardFromLeader = this.ports.clock.now();
    this.drawElectionTimeout();
  }

  #announceLeadership(): void {
    this.leadershipChanged.notifyAll();
    this.outbox.pausedUntil = -Infinity;
    this.scheduleTurn();
  }
}

/**
 * How much of the first election timeout counts as passed at the start: a leader that is there is heard within a few
 * heartbeats, and with pre-vote an early campaign disturbs nobody. A new cluster elects that much sooner, as etcd does.
 */
function headStartMs(options: RaftOptions): number {
  return options.preVote ? Math.max(0, options.electionTimeoutMs - 3 * options.heartbeatIntervalMs) : 0;
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.record.length, 0);
}

function hexOrNull(id: MemberId | null): string | null {
  return id === null ? null : id.toString(16);
}
