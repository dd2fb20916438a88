import type { ApplyOutcome, KvResult } from '../kv/results.js';
import type { CommandKind } from '../kv/commands.js';
import type { KeySpaceHash } from '../kv/hash.js';
import type { MemberRecord } from '../kv/members.js';

/** How an operation of a member ends. Called exactly once, possibly before the call that started it returns. */
export type Done<T> = (error: Error | null, result?: T) => void;

/** What a member tells about itself (Maintenance.Status, HTTP, metrics). */
export interface MemberStatus {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly term: number;
  readonly role: 'follower' | 'preCandidate' | 'candidate' | 'leader';
  readonly leaderId: bigint | null;
  readonly commitIndex: number;
  readonly lastApplied: number;
  readonly revision: number;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
}

/** One member of a cluster as its front doors see it: gRPC, HTTP, the embedding application. */
export interface MemberApi {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  /** For response headers. */
  readonly term: number;
  /** Current store revision of this member, for headers of replies that read nothing. */
  readonly revision: number;
  /**
   * Puts a checked write through consensus; `request` is the encoded request message and may be a view that lives on.
   * Fails with a KvError (definite: not done), or with a MemberError (see member/errors.ts for which of them are definite).
   * After `patienceMs` milliseconds nobody wants it any more: if it still waits for a leader then, it is dropped.
   */
  propose(kind: CommandKind, request: Uint8Array, done: Done<KvResult>, patienceMs?: number): void;
  /** Runs an encoded RangeRequest, linearizable unless it says serializable. */
  range(request: Uint8Array, done: Done<KvResult>): void;
  /** Runs an encoded TxnRequest: locally when it only reads, else through consensus. */
  txn(request: Uint8Array, done: Done<KvResult>, patienceMs?: number): void;
  /** Puts an encoded CompactionRequest through consensus; a `physical` one also waits until the history is gone from this member's store. */
  compact(request: Uint8Array, done: Done<KvResult>, patienceMs?: number): void;
  /** Calls back when everything committed before this call is applied here. */
  linearizableRead(done: Done<void>): void;
  /** A hash of this member's keys and their history through `revision` (0: the current one), equal on all members. */
  hashKV(revision: number, done: Done<KeySpaceHash>): void;
  status(): MemberStatus;
  members(): readonly MemberRecord[];
  /** Hands leadership over: to `target`, or to the most up-to-date peer. Resolves when this member is not leader any more. */
  transferLeadership(target?: bigint): Promise<void>;
}

export type { ApplyOutcome, KvResult, MemberRecord };
