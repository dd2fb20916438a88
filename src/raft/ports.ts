import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  Entry,
  ForwardProposalsArgs,
  ForwardProposalsReply,
  HardState,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  LogIndex,
  MemberId,
  ReadIndexArgs,
  ReadIndexReply,
  RequestVoteArgs,
  RequestVoteReply,
  SnapshotMarker,
  TimeoutNowArgs,
  TimeoutNowReply,
} from './messages.js';

/** Everything a RaftStore holds. */
export interface Loaded {
  readonly hardState: HardState;
  /** Where the log begins. Index 0, term 0 before the first compaction. */
  readonly snapshot: SnapshotMarker;
  /** All entries after `snapshot.index`, without a gap. */
  readonly entries: readonly Entry[];
  /** A snapshot whose installation had begun when the member stopped (RaftStore.beginInstall). */
  readonly installing: SnapshotMarker | null;
}

/** What one save makes durable, all of it or nothing. */
export interface Change {
  readonly hardState?: HardState;
  /** Consecutive. Whatever the log held from the first of these indexes on is replaced. */
  readonly entries?: readonly Entry[];
}

/** Durable home of the log and the hard state (§5.1, thesis 3.8). Calls take effect in call order and may share one synced write. */
export interface RaftStore {
  /** Everything saved and not compacted. Called once, before the activities start. Rejects when what it finds is damaged. */
  load(): Promise<Loaded>;
  /** Resolves once `change` is on disk. Rejects with StorageError: the member must then stop. */
  save(change: Change): Promise<void>;
  /** Forgets entries through `marker.index`, which the state machine has durably applied. Resolves once that is on disk. */
  compact(marker: SnapshotMarker): Promise<void>;
  /** Notes, durably, that the state machine is about to be replaced by the snapshot `marker`. */
  beginInstall(marker: SnapshotMarker): Promise<void>;
  /**
   * The state machine now is the snapshot: the log begins at `marker`. With `keepFollowing` the entries after it stay
   * (the log had an entry of the same index and term), otherwise the whole log goes. Clears the note of beginInstall.
   */
  finishInstall(marker: SnapshotMarker, keepFollowing: boolean): Promise<void>;
  close(): Promise<void>;
}

/** A consistent copy of the state machine on its way to a follower. */
export interface OutgoingSnapshot {
  readonly marker: SnapshotMarker;
  /** The next piece, at most 1 MiB; null after the last. */
  nextChunk(): Promise<Buffer | null>;
  close(): Promise<void>;
}

/** A snapshot on its way in. Nothing of it is visible before StateMachine.installSnapshot. */
export interface IncomingSnapshot {
  write(data: Buffer): Promise<void>;
  /** All pieces are here: verifies the checksum and syncs. Rejects when the stream was damaged. */
  finish(): Promise<void>;
  /** Throws away what has come so far. */
  abandon(): Promise<void>;
}

/** The replicated state machine, as consensus sees it. Only the applier calls apply and installSnapshot. */
export interface StateMachine {
  /** The index its content reflects when the member starts. */
  readonly lastApplied: LogIndex;
  /** Tells it consecutive committed entries. Consensus goes on while this takes its time. A rejection stops the member. */
  apply(entries: readonly Entry[]): void | Promise<void>;
  /** Makes everything applied so far durable and says through which entry that is. */
  persist(): Promise<{ readonly index: LogIndex; readonly term: number }>;
  openSnapshot(): Promise<OutgoingSnapshot>;
  receiveSnapshot(marker: SnapshotMarker): Promise<IncomingSnapshot>;
  /** Replaces the whole content by the finished snapshot, durably. */
  installSnapshot(marker: SnapshotMarker, incoming: IncomingSnapshot): Promise<void>;
}

/**
 * Carries RPCs to one peer. Every method resolves to the reply, or to null when there is none: lost, refused, timed out.
 * It may deliver late, twice or out of order. Never rejects.
 */
export interface Transport {
  requestVote(peer: MemberId, args: RequestVoteArgs): Promise<RequestVoteReply | null>;
  appendEntries(peer: MemberId, args: AppendEntriesArgs): Promise<AppendEntriesReply | null>;
  installSnapshot(peer: MemberId, args: InstallSnapshotArgs): Promise<InstallSnapshotReply | null>;
  timeoutNow(peer: MemberId, args: TimeoutNowArgs): Promise<TimeoutNowReply | null>;
  forwardProposals(peer: MemberId, args: ForwardProposalsArgs): Promise<ForwardProposalsReply | null>;
  readIndex(peer: MemberId, args: ReadIndexArgs): Promise<ReadIndexReply | null>;
}

/** The receiving end of Transport; RaftNode implements it. Resolves to null when the caller shall hear nothing. */
export interface PeerHandler {
  requestVote(args: RequestVoteArgs): Promise<RequestVoteReply | null>;
  appendEntries(args: AppendEntriesArgs): Promise<AppendEntriesReply | null>;
  installSnapshot(args: InstallSnapshotArgs): Promise<InstallSnapshotReply | null>;
  timeoutNow(args: TimeoutNowArgs): Promise<TimeoutNowReply | null>;
  forwardProposals(args: ForwardProposalsArgs): Promise<ForwardProposalsReply | null>;
  readIndex(args: ReadIndexArgs): Promise<ReadIndexReply | null>;
}

export type { Clock } from '../lib/clock.js';
export type { Random } from '../lib/random.js';
export type { Logger } from '../lib/logger.js';
