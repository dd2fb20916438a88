import type { CommandKind } from '../../src/kv/commands.js';
import type { KeySpaceHash } from '../../src/kv/hash.js';
import type { KvResult } from '../../src/kv/results.js';
import type { Done, MemberApi, MemberRecord, MemberStatus } from '../../src/member/api.js';

export const CLUSTER_ID = 0xcdf8_1819_4e3a_8c32n;
export const MEMBER_ID = 0x8e9e_05c5_2164_694dn;

type Outcome<T> = T | Error | 'silence';

/** A member without a cluster: notes what it is asked and answers what a test has prepared. */
export class FakeMember implements MemberApi {
  readonly memberId = MEMBER_ID;
  readonly clusterId = CLUSTER_ID;
  term = 7;
  revision = 41;
  leaderId: bigint | null = MEMBER_ID;
  readonly asked: { readonly method: string; readonly kind?: CommandKind; readonly request: Buffer }[] = [];
  readonly transfers: (bigint | undefined)[] = [];
  kvOutcome: Outcome<KvResult> = { revision: 42, body: Buffer.alloc(0) };
  hashOutcome: Outcome<KeySpaceHash> = { hash: 0xffff_fffe, compactRevision: -1, revision: 41 };
  readOutcome: Outcome<null> = null;
  transferOutcome: Error | null = null;
  records: readonly MemberRecord[] = [];

  propose(kind: CommandKind, request: Uint8Array, done: Done<KvResult>): void {
    this.asked.push({ method: 'propose', kind, request: Buffer.from(request) });
    settle(this.kvOutcome, done);
  }

  range(request: Uint8Array, done: Done<KvResult>): void {
    this.asked.push({ method: 'range', request: Buffer.from(request) });
    settle(this.kvOutcome, done);
  }

  txn(request: Uint8Array, done: Done<KvResult>): void {
    this.asked.push({ method: 'txn', request: Buffer.from(request) });
    settle(this.kvOutcome, done);
  }

  compact(request: Uint8Array, done: Done<KvResult>): void {
    this.asked.push({ method: 'compact', request: Buffer.from(request) });
    settle(this.kvOutcome, done);
  }

  hashKV(revision: number, done: Done<KeySpaceHash>): void {
    this.asked.push({ method: `hash at ${revision}`, request: Buffer.alloc(0) });
    settle(this.hashOutcome, done);
  }

  linearizableRead(done: Done<void>): void {
    settle(this.readOutcome, (error) => done(error));
  }

  status(): MemberStatus {
    return {
      memberId: this.memberId,
      clusterId: this.clusterId,
      term: this.term,
      role: this.leaderId === this.memberId ? 'leader' : 'follower',
      leaderId: this.leaderId,
      commitIndex: 1_000,
      lastApplied: 999,
      revision: this.revision,
      dbSizeBytes: 25_000,
      dbSizeInUseBytes: 16_000,
    };
  }

  members(): readonly MemberRecord[] {
    return this.records;
  }

  async transferLeadership(target?: bigint): Promise<void> {
    this.transfers.push(target);
    if (this.transferOutcome) throw this.transferOutcome;
  }
}

/** Never from within the call, as MemberApi promises. */
function settle<T>(outcome: Outcome<T>, done: Done<T>): void {
  if (outcome === 'silence') return;
  setImmediate(() => {
    if (outcome instanceof Error) done(outcome);
    else done(null, outcome);
  });
}
