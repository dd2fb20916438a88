/** How one member's consensus behaves. All sizes in bytes, all times in milliseconds. */
export interface RaftOptions {
  /** A leader is heard at least this often. */
  readonly heartbeatIntervalMs: number;
  /** Silence after which a follower campaigns: drawn anew for each election from [electionTimeoutMs, 2 x electionTimeoutMs). */
  readonly electionTimeoutMs: number;
  /** Ask "would you vote for me?" before raising the term (thesis 9.6). */
  readonly preVote: boolean;
  /** Applied entries that may gather in the log before it is compacted. */
  readonly snapshotCount: number;
  /** Applied entries that compaction leaves for slow followers. */
  readonly snapshotCatchupEntries: number;
  /** Bytes of log in memory beyond which it is compacted whatever the counts say. */
  readonly maxLogBytes: number;
  /** Entries of one AppendEntries, beyond the first. */
  readonly maxAppendBytes: number;
  /** Proposals that a leader appends without seeing them committed (C20). */
  readonly maxUncommittedBytes: number;
}

export const defaultRaftOptions: RaftOptions = {
  heartbeatIntervalMs: 100,
  electionTimeoutMs: 1000,
  preVote: true,
  snapshotCount: 10_000,
  snapshotCatchupEntries: 5_000,
  maxLogBytes: 64 * 1024 * 1024,
  maxAppendBytes: 1024 * 1024,
  maxUncommittedBytes: 64 * 1024 * 1024,
};
