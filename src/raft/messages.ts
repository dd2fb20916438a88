/** A period with at most one leader (§5.1). Whole numbers, from 1; 0 is before the first election. */
export type Term = number;
/** A position in the log. The first entry has index 1; 0 is the empty log. Below 2^53. */
export type LogIndex = number;
/** 64 bits, never 0. Chosen by hashing, so it never fits a JavaScript number. */
export type MemberId = bigint;

/** A slot of the log. `record` is its one encoding, shared by disk and wire (entry-codec.ts); `payload` is a view into it. */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  /** What the state machine is told. Empty for a new leader's no-op (§8). */
  readonly payload: Buffer;
  readonly record: Buffer;
}

/** What must be on disk before a vote or an acknowledgement leaves (§5.1). */
export interface HardState {
  readonly currentTerm: Term;
  readonly votedFor: MemberId | null;
}

/** Who belongs. Sorted ascending, never empty. */
export interface Configuration {
  readonly voters: readonly MemberId[];
}

/** Where the log begins: everything through `index` is in the state machine's own store (§7). */
export interface SnapshotMarker {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

export interface RequestVoteArgs {
  /** The candidate's term; for a pre-vote the term it would campaign in. */
  readonly term: Term;
  readonly candidateId: MemberId;
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** Asks only "would you?"; nothing changes at the receiver (thesis 9.6). */
  readonly preVote: boolean;
  /** The leader itself asked for this election: a live leader is no reason to refuse (thesis 3.10). */
  readonly leadershipTransfer: boolean;
}

export interface RequestVoteReply {
  readonly term: Term;
  readonly voteGranted: boolean;
}

export interface AppendEntriesArgs {
  readonly term: Term;
  readonly leaderId: MemberId;
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /** Which confirmation round this message belongs to (read-index.ts). Rises with every round of a leader's life. */
  readonly round: number;
}

export interface AppendEntriesReply {
  readonly term: Term;
  readonly success: boolean;
  /** On failure: where the leader may continue its search, and the term the follower has there (0: none). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

export interface InstallSnapshotArgs {
  readonly term: Term;
  readonly leaderId: MemberId;
  readonly snapshot: SnapshotMarker;
  /** Tells two transfers of the same leader apart. Chunks of another transfer are never mixed in. */
  readonly transferId: number;
  /** Position of `data` in the stream, in bytes. */
  readonly offset: number;
  readonly data: Buffer;
  readonly done: boolean;
}

export interface InstallSnapshotReply {
  readonly term: Term;
  /** The offset that the follower expects next; 0 asks to begin again. */
  readonly nextOffset: number;
  /** The follower has everything through the snapshot's index; no more chunks are needed. */
  readonly installed: boolean;
}

/** Leadership transfer (thesis 3.10): campaign at once, without waiting for the timeout. */
export interface TimeoutNowArgs {
  readonly term: Term;
  readonly leaderId: MemberId;
}

export interface TimeoutNowReply {
  readonly term: Term;
}

/** A command on its way from a follower to the leader. `sequence` rises within one `bootId` of the origin. */
export interface ForwardedProposal {
  readonly sequence: number;
  readonly payload: Buffer;
}

export interface ForwardProposalsArgs {
  /** The term in which the sender knows the receiver as leader. Any other term: refused. */
  readonly term: Term;
  readonly originId: MemberId;
  /** Drawn at each start of the origin, so that sequences of an earlier life are never taken for this one's. */
  readonly bootId: number;
  readonly proposals: readonly ForwardedProposal[];
}

export interface ForwardProposalsReply {
  readonly term: Term;
  /** Parallel to the proposals: the index each got, or 0 where it was surely not appended. */
  readonly indexes: readonly LogIndex[];
  /** Why those with index 0 were refused. */
  readonly refusal: 'none' | 'notLeader' | 'overloaded';
}

export interface ReadIndexArgs {
  readonly term: Term;
  readonly originId: MemberId;
}

export interface ReadIndexReply {
  readonly term: Term;
  /** The index to wait for; 0 when the receiver could not confirm that it leads. */
  readonly readIndex: LogIndex;
}

/** What a member is now. A pre-candidate asks whether it could win, in its old term. */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';
