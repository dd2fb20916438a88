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
} from '../raft/messages.js';
import {
  forwardProposalsArgs,
  forwardProposalsReply,
  installSnapshotArgs,
  installSnapshotReply,
  readIndexArgs,
  readIndexReply,
} from './bulk-codec.js';
import {
  appendEntriesArgs,
  appendEntriesReply,
  requestVoteArgs,
  requestVoteReply,
  timeoutNowArgs,
  timeoutNowReply,
  type Codec,
} from './codec.js';

/** The arguments and the reply of every RPC between members, by the name of its method in Transport and PeerHandler. */
export interface Rpcs {
  requestVote: { args: RequestVoteArgs; reply: RequestVoteReply };
  appendEntries: { args: AppendEntriesArgs; reply: AppendEntriesReply };
  installSnapshot: { args: InstallSnapshotArgs; reply: InstallSnapshotReply };
  timeoutNow: { args: TimeoutNowArgs; reply: TimeoutNowReply };
  forwardProposals: { args: ForwardProposalsArgs; reply: ForwardProposalsReply };
  readIndex: { args: ReadIndexArgs; reply: ReadIndexReply };
}

export type RpcName = keyof Rpcs;

/** How the two messages of one RPC are written, and what raft.proto calls it. */
export interface RpcCodec<N extends RpcName> {
  readonly path: string;
  readonly args: Codec<Rpcs[N]['args']>;
  readonly reply: Codec<Rpcs[N]['reply']>;
  /** Whose word this is: the member that the arguments name as their sender. */
  senderOf(args: Rpcs[N]['args']): bigint;
}

export const rpcCodecs: { readonly [N in RpcName]: RpcCodec<N> } = {
  requestVote: {
    path: '/raftkv.raft.Raft/RequestVote',
    args: requestVoteArgs,
    reply: requestVoteReply,
    senderOf: (args) => args.candidateId,
  },
  appendEntries: {
    path: '/raftkv.raft.Raft/AppendEntries',
    args: appendEntriesArgs,
    reply: appendEntriesReply,
    senderOf: (args) => args.leaderId,
  },
  installSnapshot: {
    path: '/raftkv.raft.Raft/InstallSnapshot',
    args: installSnapshotArgs,
    reply: installSnapshotReply,
    senderOf: (args) => args.leaderId,
  },
  timeoutNow: {
    path: '/raftkv.raft.Raft/TimeoutNow',
    args: timeoutNowArgs,
    reply: timeoutNowReply,
    senderOf: (args) => args.leaderId,
  },
  forwardProposals: {
    path: '/raftkv.raft.Raft/ForwardProposals',
    args: forwardProposalsArgs,
    reply: forwardProposalsReply,
    senderOf: (args) => args.originId,
  },
  readIndex: {
    path: '/raftkv.raft.Raft/ReadIndex',
    args: readIndexArgs,
    reply: readIndexReply,
    senderOf: (args) => args.originId,
  },
};

/** All RPCs share one long-lived stream that is opened under this name (raft.proto, Converse). */
export const CONVERSE_PATH = '/raftkv.raft.Raft/Converse';
