import { crc32 } from '../lib/crc32.js';
import { asError } from '../lib/errors.js';
import type { Command } from './commands.js';
import { Compaction } from './compaction.js';
import { KvError } from './errors.js';
import { execute } from './execute.js';
import { HashRead, type KeySpaceHash, hashIndex } from './hash.js';
import { loadIndex, loadMembers } from './load.js';
import { MemberTable } from './member-table.js';
import { type MemberRecord, encodeMember } from './members.js';
import { Mvcc } from './mvcc.js';
import type { KvStore } from './ports.js';
import { type SlicedRange, openRange, readRange } from './range.js';
import type { ApplyOutcome, KvResult } from './results.js';
import { RevisionStore } from './revision-store.js';
import { FRESH_STATE, type StateRecord, readState, stateWrite } from './state-record.js';
import { isReadOnlyTxn, runTxn } from './txn.js';
import type { RangeRequest, TxnRequest } from './wire/requests.js';

export interface KvStateMachineOptions {
  /** Bound of the cache of values that have been read from the store. */
  readonly cacheBytes?: number;
}

const CACHE_BYTES = 64 * 1024 * 1024;

/** How a hash is taken when nobody else is to be let in between. */
const ALL_KEYS = Infinity;

/**
 * The replicated state machine: the key space with its history, and what members have published of themselves.
 *
 * Deterministic: the same commands at the same indexes give the same state and the same outcomes on every member. All but
 * open() and flush() is synchronous, so one turn of the event loop sees one state. Changes stay in memory until flush();
 * what a crash takes away before, the log brings back.
 */
export class KvStateMachine {
  readonly #store: KvStore;
  readonly #mvcc: Mvcc;
  readonly #compaction: Compaction;
  readonly #members: MemberTable;
  #appliedIndex: number;
  #appliedTerm: number;
  /** What the last flush wrote, or is writing. */
  #takenState: StateRecord;
  /** The compaction whose removals the store has. */
  #flushedCompaction: number;
  #compactionWaiters: { readonly revision: number; readonly callback: () => void }[] = [];
  /** Why nothing works any more: what is in memory must not reach the store. */
  #failure: Error | null = null;

  /**
   * Rebuilds the index by reading all of the store. `store` stays the caller's, who closes it after close().
   *
   * @throws DamagedStoreError when anything in the store is not as it was written
   */
  static async open(store: KvStore, options: KvStateMachineOptions = {}): Promise<KvStateMachine> {
    const state = readState(store) ?? FRESH_STATE;
    const { index, deletedKeys } = await loadIndex(store, state);
    const members = new MemberTable(await loadMembers(store, state));
    const records = new RevisionStore(store, state.revision, state.revisionRecords, options.cacheBytes ?? CACHE_BYTES);
    const mvcc = new Mvcc(index, records, state.revision, state.compactRevision, deletedKeys);
    return new KvStateMachine(store, state, mvcc, members);
  }

  private constructor(store: KvStore, state: StateRecord, mvcc: Mvcc, members: MemberTable) {
    this.#store = store;
    this.#mvcc = mvcc;
    this.#compaction = new Compaction(mvcc, state.finishedCompactRevision);
    this.#members = members;
    this.#appliedIndex = state.appliedIndex;
    this.#appliedTerm = state.appliedTerm;
    this.#takenState = state;
    this.#flushedCompaction = state.finishedCompactRevision;
  }

  /** The last log entry that has been applied; 0: none. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get appliedTerm(): number {
    return this.#appliedTerm;
  }

  /** 1 before the first change. */
  get revision(): number {
    return this.#mvcc.revision;
  }

  /** Reads below it fail. -1 before the first compaction. */
  get compactRevision(): number {
    return this.#mvcc.compactRevision;
  }

  /** Keys in the index: those that exist, and deleted ones that compaction has not removed yet. */
  get indexedKeys(): number {
    return this.#mvcc.index.size;
  }

  /** Bytes of changes that are not in the store yet, those on their way included. The caller bounds them by flushing. */
  get pendingBytes(): number {
    return this.#mvcc.records.pendingBytes;
  }

  /**
   * Gives a new cluster its members. Before the first command, on every member alike.
   *
   * @throws Error when the store is not a new one
   */
  bootstrapMembers(records: readonly MemberRecord[]): void {
    if (this.#appliedIndex > 0 || this.#members.size > 0)
      throw new Error('members are set once, before the first command');
    for (const record of records) this.#members.set(record);
  }

  /** What the cluster knows of its members, by id. */
  members(): readonly MemberRecord[] {
    return this.#members.list();
  }

  /** Applies a committed entry that is no command, such as the one a new leader begins with. */
  applyNoop(index: number, term: number): void {
    this.#expectNext(index);
    this.#advance(index, term);
  }

  /**
   * Applies the committed entry at `index`, which must be the one after appliedIndex.
   *
   * @returns the result, or a KvError when nothing has changed
   * @throws Error when this member's own state is at fault: it must stop
   */
  apply(index: number, term: number, command: Command): ApplyOutcome {
    this.#expectNext(index);
    const outcome = this.#run(command);
    this.#advance(index, term);
    return outcome;
  }

  /** RangeResponse. For one key, or few: a large range is better opened. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
  range(request: RangeRequest): KvResult {
    this.#expectSound();
    return { revision: this.#mvcc.revision, body: readRange(this.#mvcc, request) };
  }

  /**
   * The same in slices: call step() on it, once a turn, until it gives the result, or close().
   *
   * @throws KvError KV_COMPACTED, KV_FUTURE_REVISION
   */
  openRange(request: RangeRequest): SlicedRange {
    this.#expectSound();
    return openRange(this.#mvcc, request);
  }

  /** TxnResponse of a transaction that isReadOnlyTxn(). @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
  readTxn(request: TxnRequest): KvResult {
    this.#expectSound();
    if (!isReadOnlyTxn(request)) throw new Error('this transaction may write: it must be a command');
    return { revision: this.#mvcc.revision, body: runTxn(this.#mvcc, request) };
  }

  /** @param revision 0: the current one. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
  hashKV(revision: number): KeySpaceHash {
    const hash = this.openHash(revision).step(ALL_KEYS);
    if (hash === null) throw new Error('the hash is not complete');
    return hash;
  }

  /** The same in slices, as openRange. @throws KvError KV_COMPACTED, KV_FUTURE_REVISION */
  openHash(revision: number): HashRead {
    this.#expectSound();
    return new HashRead(this.#mvcc, revision);
  }

  /** A hash of everything that is replicated. Equal on members that have applied the same. Reads it all: for tests. */
  contentHash(): number {
    const numbers = [this.#appliedIndex, this.#appliedTerm, this.revision, this.compactRevision];
    let hash = crc32(Buffer.from(numbers.join(' ')), this.hashKV(0).hash);
    hash = crc32(Buffer.from(String(hashIndex(this.#mvcc))), hash);
    for (const member of this.members()) hash = crc32(encodeMember(member), hash);
    return hash;
  }

  /**
   * Removes a little of what compaction has made unreachable: looks at up to `maxKeys` keys and removes up to as many
   * changes, for the next flush to write. Makes no progress while a range or hash needs what is to go.
   *
   * @returns whether work remains
   */
  compactionStep(maxKeys: number): boolean {
    this.#expectSound();
    this.#compaction.step(maxKeys);
    return this.#compaction.hasWork;
  }

  /** A compaction has ended, but the store does not have it yet: whoever waits for it waits for a flush. */
  get hasUnflushedCompaction(): boolean {
    return this.#compaction.finished > this.#flushedCompaction;
  }

  /**
   * Calls back once everything that compaction at `revision` leaves out is gone from the store: at once, or at the end of
   * a flush. Never after close().
   */
  onCompacted(revision: number, callback: () => void): void {
    if (revision <= this.#flushedCompaction) callback();
    else this.#compactionWaiters.push({ revision, callback });
  }

  /**
   * Writes all that is pending, and how far it goes, in one batch. What is applied meanwhile goes into the next one.
   *
   * @param options with `sync`, all that had been applied when it was called is on disk when it resolves
   * @throws whatever the store says; the member must stop, and every later flush fails too
   */
  async flush(options: { readonly sync: boolean }): Promise<void> {
    this.#expectSound();
    const state = this.#currentState();
    const batch = this.#mvcc.records.takeBatch();
    const writes = batch.writes.concat(this.#members.takeWrites());
    if (writes.length === 0 && equalStates(state, this.#takenState) && !options.sync) return;
    writes.push(stateWrite(state));
    this.#takenState = state;
    try {
      await this.#store.write(writes, options);
    } catch (error) {
      this.#failure ??= asError(error);
      throw error;
    }
    this.#mvcc.records.flushed(batch);
    this.#settleCompactions(state.finishedCompactRevision);
  }

  /** Forgets everything. What was not flushed is only in the log. */
  close(): void {
    this.#failure ??= new Error('the state machine is closed');
    this.#compactionWaiters = [];
    this.#mvcc.records.clearCache();
  }

  #run(command: Command): ApplyOutcome {
    try {
      const body = execute(command, this.#mvcc, this.#members);
      this.#mvcc.commit();
      return { revision: this.#mvcc.revision, body };
    } catch (error) {
      if (!(error instanceof KvError)) {
        this.#failure ??= asError(error);
        throw error;
      }
      this.#mvcc.rollback();
      return error;
    }
  }

  #currentState(): StateRecord {
    return {
      appliedIndex: this.#appliedIndex,
      appliedTerm: this.#appliedTerm,
      revision: this.#mvcc.revision,
      compactRevision: this.#mvcc.compactRevision,
      finishedCompactRevision: this.#compaction.finished,
      revisionRecords: this.#mvcc.records.count,
      memberRecords: this.#members.size,
    };
  }

  #settleCompactions(flushed: number): void {
    this.#flushedCompaction = Math.max(this.#flushedCompaction, flushed);
    const due = this.#compactionWaiters.filter((waiter) => waiter.revision <= this.#flushedCompaction);
    if (due.length === 0) return;
    this.#compactionWaiters = this.#compactionWaiters.filter((waiter) => waiter.revision > this.#flushedCompaction);
    for (const waiter of due) waiter.callback();
  }

  #expectNext(index: number): void {
    this.#expectSound();
    if (index === this.#appliedIndex + 1) return;
    throw new Error(`entry ${index} cannot be applied after entry ${this.#appliedIndex}`);
  }

  #expectSound(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  #advance(index: number, term: number): void {
    this.#appliedIndex = index;
    this.#appliedTerm = term;
  }
}

function equalStates(a: StateRecord, b: StateRecord): boolean {
  return (Object.keys(a) as (keyof StateRecord)[]).every((name) => a[name] === b[name]);
}
