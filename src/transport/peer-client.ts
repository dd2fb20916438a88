import type { Logger } from '../lib/logger.js';
import type {
  AppendEntriesArgs,
  AppendEntriesReply,
  ForwardProposalsArgs,
  ForwardProposalsReply,
  InstallSnapshotArgs,
  InstallSnapshotReply,
  MemberId,
  ReadIndexArgs,
  ReadIndexReply,
  RequestVoteArgs,
  RequestVoteReply,
  TimeoutNowArgs,
  TimeoutNowReply,
} from '../raft/messages.js';
import type { Transport } from '../raft/ports.js';
import { hex, identityMetadata } from './identity.js';
import { PeerConnection } from './peer-connection.js';
import type { RpcName, Rpcs } from './rpcs.js';

/** A piece of a snapshot is written to the peer's disk before it is answered. */
const SNAPSHOT_TIMEOUTS = 10;

export interface GrpcTransportOptions {
  readonly clusterId: bigint;
  readonly memberId: MemberId;
  /** An answer that takes longer than an election timeout is of no use: consensus has asked again, or moved on. */
  readonly electionTimeoutMs: number;
  readonly logger: Logger;
}

/** Calls the other members over gRPC: the frequent RPCs over one stream per peer, the others as unary calls. */
export class GrpcTransport implements Transport {
  readonly #peers = new Map<MemberId, PeerConnection>();

  constructor(private readonly options: GrpcTransportOptions) {}

  /** Says where a peer listens (`http://host:port`, at least one). Calling it again with the same URLs changes nothing. */
  setPeer(id: MemberId, urls: readonly string[]): void {
    const known = this.#peers.get(id);
    if (known && known.urls.join() === urls.join()) return;
    known?.close();
    const { clusterId, memberId, logger } = this.options;
    const metadata = identityMetadata({ clusterId, from: memberId, to: id });
    this.#peers.set(id, new PeerConnection([...urls], metadata, logger.child({ peer: hex(id) })));
  }

  removePeer(id: MemberId): void {
    this.#peers.get(id)?.close();
    this.#peers.delete(id);
  }

  /** Every open call comes to nothing, and so does every later one. */
  close(): void {
    for (const id of [...this.#peers.keys()]) this.removePeer(id);
  }

  requestVote(peer: MemberId, args: RequestVoteArgs): Promise<RequestVoteReply | null> {
    return this.#unary(peer, 'requestVote', args, this.options.electionTimeoutMs);
  }

  appendEntries(peer: MemberId, args: AppendEntriesArgs): Promise<AppendEntriesReply | null> {
    return this.#converse(peer, 'appendEntries', args);
  }

  installSnapshot(peer: MemberId, args: InstallSnapshotArgs): Promise<InstallSnapshotReply | null> {
    return this.#unary(peer, 'installSnapshot', args, SNAPSHOT_TIMEOUTS * this.options.electionTimeoutMs);
  }

  timeoutNow(peer: MemberId, args: TimeoutNowArgs): Promise<TimeoutNowReply | null> {
    return this.#unary(peer, 'timeoutNow', args, this.options.electionTimeoutMs);
  }

  forwardProposals(peer: MemberId, args: ForwardProposalsArgs): Promise<ForwardProposalsReply | null> {
    return this.#converse(peer, 'forwardProposals', args);
  }

  readIndex(peer: MemberId, args: ReadIndexArgs): Promise<ReadIndexReply | null> {
    return this.#converse(peer, 'readIndex', args);
  }

  #unary<N extends RpcName>(
    peer: MemberId,
    name: N,
    args: Rpcs[N]['args'],
    timeoutMs: number,
  ): Promise<Rpcs[N]['reply'] | null> {
    return this.#peers.get(peer)?.unary(name, args, timeoutMs) ?? Promise.resolve(null);
  }

  #converse<N extends 'appendEntries' | 'forwardProposals' | 'readIndex'>(
    peer: MemberId,
    name: N,
    args: Rpcs[N]['args'],
  ): Promise<Rpcs[N]['reply'] | null> {
    return this.#peers.get(peer)?.converse(name, args, this.options.electionTimeoutMs) ?? Promise.resolve(null);
  }
}
