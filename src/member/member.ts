import { CommandKind, encodeCommand } from '../kv/commands.js';
import type { MemberRecord } from '../kv/members.js';
import type { KeySpaceHash } from '../kv/hash.js';
import type { KvResult } from '../kv/results.js';
import type { Clock, Logger, Random } from '../raft/ports.js';
import type { PeerHandler, Transport } from '../raft/ports.js';
import { decodeCompactionRequest } from '../kv/wire/decode.js';
import { asError } from '../lib/errors.js';
import { RaftNode } from '../raft/node.js';
import type { Disk } from '../storage/disk.js';
import type { Done, MemberApi, MemberStatus } from './api.js';
import { AppliedWaiters } from './applied-waiters.js';
import { MemberError } from './errors.js';
import { runExpirer } from './expirer.js';
import { runFlusher } from './flusher.js';
import { openMemberDisk, type MemberDisk } from './member-disk.js';
import { requestTimeoutMs, type MemberOptions } from './options.js';
import { PendingProposals } from './pending-proposals.js';
import { runPublisher } from './publisher.js';
import { decodeRange, readOnlyTxnOf, runHash, runRange, runReadOnlyTxn } from './queries.js';
import { ReadBarrier } from './reads.js';
import { ReplicatedState } from './replicated-state.js';

/** What a member asks of the world. */
export interface MemberPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly transport: Transport;
  readonly logger: Logger;
  /** Called once, when the member has stopped because it can not go on. */
  readonly onFailure: (error: Error) => void;
}

/** What consensus adds to a request when etcd measures its size: its envelope and a request id. */
const PROPOSAL_ENVELOPE_BYTES = 18;
/** Committed entries that may wait to be applied before new requests are refused, as in etcd. */
export const MAX_APPLY_GAP = 5000;
/** Writes that may wait for their outcome at one member. */
export const MAX_PENDING_WRITES = 50_000;

/** One member of a cluster, daemon, embedded or simulated: consensus, state machine and disk behind one interface. */
export class Member implements MemberApi {
  readonly #node: RaftNode;
  readonly #pending: PendingProposals;
  readonly #waiters: AppliedWaiters;
  readonly #state: ReplicatedState;
  readonly #barrier: ReadBarrier;
  readonly #timeoutMs: number;
  #dbSizeBytes = 0;
  #tasks: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  private constructor(
    readonly options: MemberOptions,
    private readonly ports: MemberPorts,
    private readonly disk: MemberDisk,
  ) {
    const bootId = ports.random.below(2 ** 48 - 1);
    this.#timeoutMs = requestTimeoutMs(options);
    this.#pending = new PendingProposals(bootId);
    this.#waiters = new AppliedWaiters();
    this.#state = new ReplicatedState(disk.state, this.#pending, this.#waiters);
    this.#node = new RaftNode(options.memberId, disk.loaded, options.raft, {
      clock: ports.clock,
      random: ports.random,
      store: disk.raftStore,
      transport: ports.transport,
      stateMachine: this.#state,
      logger: ports.logger.child({ floor: 'raft' }),
      onFailure: (error) => {
        this.#letGoOfAll();
        ports.onFailure(error);
      },
    });
    this.#barrier = new ReadBarrier(this.#node, this.#state, this.#waiters, ports.clock, this.#timeoutMs);
  }

  /** Opens what is on disk, or begins anew on an empty one, and starts. Rejects when what it finds can not be trusted. */
  static async start(options: MemberOptions, ports: MemberPorts): Promise<Member> {
    const disk = await openMemberDisk(options, ports.disk);
    const member = new Member(options, ports, disk);
    member.#start();
    return member;
  }

  #start(): void {
    this.#node.start();
    this.#tasks = Promise.all(
      [runFlusher(this), runExpirer(this), runPublisher(this)].map((task) =>
        task.catch((error: unknown) => this.#node.raft.fail(error)),
      ),
    );
  }

  get memberId(): bigint {
    return this.options.memberId;
  }

  get clusterId(): bigint {
    return this.options.clusterId;
  }

  get term(): number {
    return this.#node.raft.currentTerm;
  }

  get revision(): number {
    return this.#state.kv.revision;
  }

  get clock(): Clock {
    return this.ports.clock;
  }

  get logger(): Logger {
    return this.ports.logger;
  }

  /** Consensus and state machine, for the member's own activities, tests and the simulator. */
  get node(): RaftNode {
    return this.#node;
  }

  get state(): ReplicatedState {
    return this.#state;
  }

  /** What peers may ask of this member. */
  get peerHandler(): PeerHandler {
    return this.#node.peerHandler;
  }

  get isStopped(): boolean {
    return this.#node.raft.stopped;
  }

  propose(kind: CommandKind, request: Uint8Array, done: Done<KvResult>, patienceMs = Infinity): void {
    const refusal = this.#refusalOf(request);
    if (refusal) {
      this.ports.clock.defer(() => done(refusal));
      return;
    }
    const now = this.ports.clock.now();
    const deadline = now + this.#timeoutMs;
    const sequence = this.#pending.add(done, deadline, this.term);
    const payload = encodeCommand(kind, this.#pending.bootId, sequence, request);
    this.#node.propose(payload, Math.min(deadline, now + patienceMs), (outcome) =>
      this.#pending.onOutcome(sequence, outcome),
    );
  }

  compact(request: Uint8Array, done: Done<KvResult>, patienceMs = Infinity): void {
    const decoded = this.#decode(() => decodeCompactionRequest(request), done);
    if (!decoded) return;
    const onApplied: Done<KvResult> = (error, result) => {
      if (error || !decoded.physical) done(error, result);
      else this.#whenCompacted(decoded.revision, (late) => done(late, result));
    };
    this.propose(CommandKind.compact, request, onApplied, patienceMs);
  }

  #whenCompacted(revision: number, done: (error: Error | null) => void): void {
    let isDone = false;
    const end = (error: Error | null) => {
      if (!isDone) done(error);
      isDone = true;
    };
    const deadline = this.ports.clock.now() + this.#timeoutMs;
    const late = () =>
      end(new MemberError('MEMBER_TIMEOUT', 'the history is compacted, but not yet gone from the store'));
    this.#waiters.add({ index: Infinity, deadline, resume: late });
    this.#state.kv.onCompacted(revision, () => end(null));
  }

  #refusalOf(request: Uint8Array): MemberError | null {
    const { raft } = this.#node;
    if (raft.stopped) return new MemberError('MEMBER_STOPPED', 'the member has stopped');
    if (request.length + PROPOSAL_ENVELOPE_BYTES > this.options.maxRequestBytes) {
      return new MemberError(
        'MEMBER_REQUEST_TOO_LARGE',
        `request has ${request.length} bytes, at most ${this.options.maxRequestBytes} with its envelope`,
      );
    }
    if (this.#pending.size >= MAX_PENDING_WRITES) {
      return new MemberError('MEMBER_TOO_MANY_REQUESTS', `${this.#pending.size} writes wait for their outcome already`);
    }
    if (raft.commitIndex - raft.lastApplied > MAX_APPLY_GAP) {
      return new MemberError(
        'MEMBER_TOO_MANY_REQUESTS',
        `${raft.commitIndex - raft.lastApplied} committed entries wait to be applied`,
      );
    }
    return null;
  }

  range(request: Uint8Array, done: Done<KvResult>): void {
    const decoded = this.#decode(() => decodeRange(request), done);
    if (!decoded) return;
    const read = () => this.#state.read((kv) => runRange(kv, this.ports.clock, decoded, done));
    if (decoded.serializable) read();
    else this.#afterBarrier(read, done);
  }

  txn(request: Uint8Array, done: Done<KvResult>, patienceMs = Infinity): void {
    const query = this.#decode(() => ({ readOnly: readOnlyTxnOf(request) }), done);
    if (!query) return;
    const { readOnly } = query;
    if (!readOnly) {
      this.propose(CommandKind.txn, request, done, patienceMs);
      return;
    }
    const read = () => this.#state.read((kv) => runReadOnlyTxn(kv, readOnly.txn, done));
    if (readOnly.isSerializable) read();
    else this.#afterBarrier(read, done);
  }

  /** Undefined when the request is malformed; `done` has been told. */
  #decode<T>(decode: () => T, done: Done<KvResult>): T | undefined {
    try {
      return decode();
    } catch (error) {
      done(asError(error));
      return undefined;
    }
  }

  #afterBarrier(read: () => void, done: Done<KvResult>): void {
    this.#barrier.pass((error) => (error ? done(error) : read()));
  }

  linearizableRead(done: Done<void>): void {
    this.#barrier.pass(done);
  }

  hashKV(revision: number, done: Done<KeySpaceHash>): void {
    this.#state.read((kv) => runHash(kv, this.ports.clock, revision, done));
  }

  status(): MemberStatus {
    const { raft } = this.#node;
    return {
      memberId: this.memberId,
      clusterId: this.clusterId,
      term: raft.currentTerm,
      role: raft.role,
      leaderId: raft.leaderId,
      commitIndex: raft.commitIndex,
      lastApplied: raft.lastApplied,
      revision: this.revision,
      dbSizeBytes: this.#dbSizeBytes,
      dbSizeInUseBytes: this.#dbSizeBytes,
    };
  }

  members(): readonly MemberRecord[] {
    return this.#state.kv.members();
  }

  async transferLeadership(target?: bigint): Promise<void> {
    if (this.#node.raft.role !== 'leader') throw new MemberError('MEMBER_NOT_LEADER', 'this member is not the leader');
    if (target !== undefined && !this.#node.raft.configuration.voters.includes(target)) {
      throw new MemberError('MEMBER_BAD_TRANSFEREE', `member ${target.toString(16)} cannot lead`);
    }
    try {
      await this.#node.transferLeadership(target);
    } catch (error) {
      throw new MemberError('MEMBER_TIMEOUT', asError(error).message, { cause: error });
    }
  }

  /** Ends waits that have lasted too long. Called by the expirer. */
  expireWaits(): void {
    const now = this.ports.clock.now();
    this.#pending.expire(now, this.term);
    this.#waiters.expire(now);
  }

  async measure(): Promise<void> {
    this.#dbSizeBytes = await this.disk.state.sizeBytes();
  }

  /** Stops, lets go of everybody who waits, and closes the disk, also when it rejects. Everything acknowledged is durable. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#node.raft.stop();
    this.#letGoOfAll();
    try {
      await this.#node.stop();
      await this.#tasks;
      if (!this.#node.raft.failure) await this.#state.flush();
    } finally {
      await this.disk.close();
    }
  }

  #letGoOfAll(): void {
    this.#pending.failAll();
    this.#waiters.failAll();
  }
}
