import { Metadata, status } from '@grpc/grpc-js';
import type { MemberId } from '../raft/messages.js';

/** Who calls whom, in which cluster. Sent as metadata with every call and checked before its message is looked at (A03). */
export interface Identity {
  readonly clusterId: bigint;
  readonly from: MemberId;
  readonly to: MemberId;
}

/** The members that may call. A Set or a Map will do; it is asked again for every message. */
export interface KnownPeers {
  has(id: MemberId): boolean;
}

/** Why a call is not listened to. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
}

const CLUSTER_ID = 'raftkv-cluster-id';
const FROM = 'raftkv-from';
const TO = 'raftkv-to';

export function identityMetadata(identity: Identity): Metadata {
  const metadata = new Metadata();
  metadata.set(CLUSTER_ID, hex(identity.clusterId));
  metadata.set(FROM, hex(identity.from));
  metadata.set(TO, hex(identity.to));
  return metadata;
}

/** The caller's id, when the call is for this member and from a peer it knows; else why it is refused. */
export function admit(
  metadata: Metadata,
  clusterId: bigint,
  memberId: MemberId,
  peers: KnownPeers,
): { readonly from: MemberId } | { readonly refusal: Refusal } {
  const theirs = idIn(metadata, CLUSTER_ID);
  if (theirs === null) return refuse(`${CLUSTER_ID} is missing, expected the cluster id in hex`);
  // etcd's text: its tools show it when a member is started with another cluster's addresses.
  if (theirs !== clusterId) return refuse('cluster ID mismatch');
  const to = idIn(metadata, TO);
  if (to !== memberId) {
    return refuse(`this is member ${hex(memberId)}, the call is for ${to === null ? 'nobody' : hex(to)}`);
  }
  const from = idIn(metadata, FROM);
  if (from === null) return refuse(`${FROM} is missing, expected the caller's member id in hex`);
  return peers.has(from) ? { from } : { refusal: unknownPeer(from) };
}

export function unknownPeer(id: MemberId): Refusal {
  return { code: status.PERMISSION_DENIED, details: `member ${hex(id)} does not belong to this cluster` };
}

/** A message names its sender; it must be the member that the call comes from (A02). */
export function impostor(from: MemberId, named: MemberId): Refusal {
  return {
    code: status.PERMISSION_DENIED,
    details: `the call is from member ${hex(from)}, its message from ${hex(named)}`,
  };
}

/** Ids as etcd's tools print them. */
export function hex(id: bigint): string {
  return id.toString(16);
}

function refuse(details: string): { refusal: Refusal } {
  return { refusal: { code: status.FAILED_PRECONDITION, details } };
}

function idIn(metadata: Metadata, key: string): bigint | null {
  const [value] = metadata.get(key);
  return typeof value === 'string' && /^[0-9a-f]{1,16}$/.test(value) ? BigInt(`0x${value}`) : null;
}
