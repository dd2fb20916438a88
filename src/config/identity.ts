import { createHash } from 'node:crypto';
import type { InitialMember } from './initial-cluster.js';

/** Who a member is in the first configuration of its cluster. */
export interface Identity {
  readonly memberId: bigint;
  readonly clusterId: bigint;
}

/** A member of the first configuration with its id. */
export interface IdentifiedMember extends InitialMember {
  readonly id: bigint;
}

/**
 * etcd's derivation: SHA-1 over the peer URLs, sorted and concatenated, followed by the cluster token; its first eight
 * bytes, big-endian. So every member computes the same ids from the same flags, and a raftkv cluster started with an
 * etcd cluster's flags has that cluster's ids.
 */
export function memberIdOf(peerURLs: readonly string[], clusterToken: string): bigint {
  const hash = createHash('sha1');
  for (const url of peerURLs.toSorted()) hash.update(url);
  return hash.update(clusterToken).digest().readBigUInt64BE(0);
}

/** SHA-1 over the ids of the first members, ascending, eight bytes each; its first eight bytes. */
export function clusterIdOf(memberIds: readonly bigint[]): bigint {
  const hash = createHash('sha1');
  const bytes = Buffer.alloc(8);
  for (const id of memberIds.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    bytes.writeBigUInt64BE(id);
    hash.update(bytes);
  }
  return hash.digest().readBigUInt64BE(0);
}

/** The members of the first configuration with their ids, by id ascending, and the cluster's own id. */
export function identifyCluster(
  members: readonly InitialMember[],
  clusterToken: string,
): { readonly clusterId: bigint; readonly members: readonly IdentifiedMember[] } {
  const identified = members
    .map((member) => ({ ...member, id: memberIdOf(member.peerURLs, clusterToken) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { clusterId: clusterIdOf(identified.map((member) => member.id)), members: identified };
}
