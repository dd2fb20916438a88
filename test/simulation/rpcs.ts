import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  ForwardProposalsArgs,
  ForwardProposalsReply,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  ReadIndexArgs,
  ReadIndexReply,
  RequestVoteArgs,
  RequestVoteReply,
  TimeoutNowArgs,
  TimeoutNowReply,
} from '../../src/raft/messages.js';

/** The arguments and the reply of every RPC between members. */
export interface Rpcs {
  requestVote: { args: RequestVoteArgs; reply: RequestVoteReply };
  appendEntries: { args: AppendEntriesArgs; reply: AppendEntriesReply };
  installSnapshot: { args: InstallSnapshotArgs; reply: InstallSnapshotReply };
  timeoutNow: { args: TimeoutNowArgs; reply: TimeoutNowReply };
  forwardProposals: { args: ForwardProposalsArgs; reply: ForwardProposalsReply };
  readIndex: { args: ReadIndexArgs; reply: ReadIndexReply };
}

export type RpcKind = keyof Rpcs;
export type ArgsOf<K extends RpcKind> = Rpcs[K]['args'];
export type ReplyOf<K extends RpcKind> = Rpcs[K]['reply'];

/** Makes the object that arrives from the object that was sent: nothing may be shared between two members. */
export interface Wire {
  carryArgs<K extends RpcKind>(kind: K, args: ArgsOf<K>): ArgsOf<K>;
  carryReply<K extends RpcKind>(kind: K, reply: ReplyOf<K>): ReplyOf<K>;
}

/** A wire that copies deeply, without an encoding. */
export const copyingWire: Wire = {
  carryArgs: (_kind, args) => copy(args),
  carryReply: (_kind, reply) => copy(reply),
};

function copy<T>(value: T): T {
  if (Buffer.isBuffer(value)) return Buffer.from(value) as T;
  if (Array.isArray(value)) return value.map(copy) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copy(field)])) as T;
}
