import { defaultRaftOptions, type RaftOptions } from '../raft/options.js';
import type { MemberRecord } from '../kv/members.js';

/** How one member behaves. */
export interface MemberOptions {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  /** Published to the cluster when the member comes up. */
  readonly name: string;
  readonly clientURLs: readonly string[];
  /** The members the cluster begins with. Only the first start looks at them. */
  readonly initialMembers: readonly MemberRecord[];
  readonly raft: RaftOptions;
  /** Bytes of one write, with what consensus adds to it (etcd: 1.5 MiB). */
  readonly maxRequestBytes: number;
}

export const defaultMemberOptions = { raft: defaultRaftOptions, maxRequestBytes: 1_572_864 };

/** How long a request waits for consensus: 5 s and two election timeouts, as in etcd. */
export function requestTimeoutMs(options: MemberOptions): number {
  return 5000 + 2 * options.raft.electionTimeoutMs;
}
