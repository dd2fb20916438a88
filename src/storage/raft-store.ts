import assert from 'node:assert/strict';
import { asError } from '../lib/errors.js';
import { StorageError } from '../raft/errors.js';
import type { Entry, HardState, LogIndex, SnapshotMarker, Term } from '../raft/messages.js';
import type { Change, Loaded, RaftStore } from '../raft/ports.js';
import type { Database, Disk, Operation } from './disk.js';
import { DamageError } from './errors.js';
import { INSTALLING_KEY, MARKER_KEY, RAFT_DATABASE, STATE_KEY } from './keyspace.js';
import { RaftChunks } from './raft-chunks.js';
import { type StoredRaft, loadRaft } from './raft-load.js';
import { type StoredState, encodeMarker, encodeState } from './raft-records.js';

/** One write takes no more changes than this many bytes of entries, so that the first of them does not wait for the last. */
const MAX_GROUP_BYTES = 8 * 1024 * 1024;

export interface RaftStoreOptions {
  /** Where the log of a new member begins; null to refuse a database that is missing or empty. */
  readonly create: SnapshotMarker | null;
  readonly name?: string;
}

/** Something that has been asked for and is not yet on disk. */
interface Pending {
  /** Adds its operations to those of the write. */
  readonly stage: (operations: Operation[]) => void;
  readonly sizeBytes: number;
  /** What must be on disk when it is. */
  readonly state: StoredState;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The log and the hard state in a LevelDB. Whatever arrives while a write is under way goes into the next one: a single
 * synced batch with one chunk of entries and one state record (group commit).
 */
export class RaftStoreOnDisk implements RaftStore {
  readonly #database: Database;
  readonly #chunks: RaftChunks;
  /** With all that was asked for so far; the disk may be behind. The same holds for the next two. */
  #state: StoredState;
  #marker: SnapshotMarker;
  #installing: SnapshotMarker | null;
  /** Held until load() hands it over. */
  #loaded: Loaded | null;
  /** Bounded by what raft lets be in flight: it stops appending when too much is not yet committed. */
  #queue: Pending[] = [];
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;

  private constructor(database: Database, chunks: RaftChunks, { state, marker, installing, entries }: StoredRaft) {
    this.#database = database;
    this.#chunks = chunks;
    this.#state = state;
    this.#marker = marker;
    this.#installing = installing;
    this.#loaded = { hardState: state.hardState, snapshot: marker, entries, installing };
  }

  /**
   * Opens the database, reads and checks all of it.
   * @throws DamageError when it is missing, empty or damaged, and not to be created.
   */
  static async open(disk: Disk, { create, name = RAFT_DATABASE }: RaftStoreOptions): Promise<RaftStoreOnDisk> {
    const database = await disk.open(name, { create: create !== null });
    try {
      const chunks = new RaftChunks(database);
      const path = `${disk.path}/${name}`;
      const stored = (await loadRaft(path, database, chunks)) ?? (await initialize(path, database, create));
      return new RaftStoreOnDisk(database, chunks, stored);
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
  }

  /** Where the log begins. */
  get marker(): SnapshotMarker {
    return this.#marker;
  }

  get lastIndex(): LogIndex {
    return this.#state.lastIndex;
  }

  /** The snapshot whose installation has begun and not ended. */
  get installing(): SnapshotMarker | null {
    return this.#installing;
  }

  /** Term of an entry that the log on disk held when it was opened, or of the marker; null for any other. Before load(). */
  storedTermAt(index: LogIndex): Term | null {
    if (index === this.#marker.index) return this.#marker.term;
    return this.#loaded?.entries[index - this.#marker.index - 1]?.term ?? null;
  }

  async load(): Promise<Loaded> {
    assert(this.#loaded, 'the log is loaded once, before anything is saved');
    const loaded = this.#loaded;
    this.#loaded = null;
    return loaded;
  }

  async save({ hardState, entries = [] }: Change): Promise<void> {
    assert(this.#loaded === null, 'the log is loaded before anything is saved');
    if (hardState) this.#keepHardState(hardState);
    if (entries.length > 0) this.#extendTo(entries);
    let sizeBytes = 0;
    for (const entry of entries) sizeBytes += entry.record.length;
    return this.#enqueue(sizeBytes, () => {
      if (entries.length > 0) this.#chunks.append(entries);
    });
  }

  async compact(marker: SnapshotMarker): Promise<void> {
    this.#moveMarker(marker);
    return this.#enqueue(0, (operations) => {
      this.#chunks.dropThrough(marker.index);
      operations.push({ key: MARKER_KEY, value: encodeMarker(marker) });
    });
  }

  async beginInstall(marker: SnapshotMarker): Promise<void> {
    this.#installing = marker;
    return this.#enqueue(0, (operations) => operations.push({ key: INSTALLING_KEY, value: encodeMarker(marker) }));
  }

  async finishInstall(marker: SnapshotMarker, keepFollowing: boolean): Promise<void> {
    if (!keepFollowing) this.#state = { ...this.#state, lastIndex: marker.index, lastTerm: marker.term };
    this.#moveMarker(marker);
    this.#installing = null;
    return this.#enqueue(0, (operations) => {
      if (keepFollowing) this.#chunks.dropThrough(marker.index);
      else this.#chunks.dropAll();
      operations.push({ key: MARKER_KEY, value: encodeMarker(marker) }, { key: INSTALLING_KEY, value: null });
    });
  }

  /** The state machine did not become the snapshot that beginInstall announced. Clears the note. Before load(). */
  async dropInstall(): Promise<void> {
    this.#installing = null;
    if (this.#loaded) this.#loaded = { ...this.#loaded, installing: null };
    return this.#enqueue(0, (operations) => operations.push({ key: INSTALLING_KEY, value: null }));
  }

  /** Ends what has been asked for, then closes the database. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#database.close();
  }

  #keepHardState(hardState: HardState): void {
    const { currentTerm } = this.#state.hardState;
    assert(hardState.currentTerm >= currentTerm, `term ${hardState.currentTerm} is saved after term ${currentTerm}`);
    this.#state = { ...this.#state, hardState };
  }

  #extendTo(entries: readonly Entry[]): void {
    const first = entries[0]!;
    const last = entries.at(-1)!;
    const { lastIndex, hardState } = this.#state;
    assert(first.index > this.#marker.index, `entry ${first.index} is in the snapshot through ${this.#marker.index}`);
    assert(first.index <= lastIndex + 1, `entry ${first.index} leaves a gap after ${lastIndex}`);
    assert.equal(last.index, first.index + entries.length - 1, 'the entries of a change are consecutive');
    assert(last.term <= hardState.currentTerm, `entry ${last.index} has term ${last.term}, beyond the current term`);
    this.#state = { hardState, lastIndex: last.index, lastTerm: last.term };
  }

  #moveMarker(marker: SnapshotMarker): void {
    const { lastIndex } = this.#state;
    assert(
      marker.index >= this.#marker.index,
      `the log begins at ${this.#marker.index}, the marker is ${marker.index}`,
    );
    assert(marker.index <= lastIndex, `the log ends with ${lastIndex}, before the marker ${marker.index}`);
    this.#marker = marker;
  }

  #enqueue(sizeBytes: number, stage: (operations: Operation[]) => void): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ stage, sizeBytes, state: this.#state, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // what else this turn of the event loop saves comes along
    while (this.#queue.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#writing = null;
  }

  #takeGroup(): Pending[] {
    let sizeBytes = 0;
    let count = 0;
    for (const pending of this.#queue) {
      if (count > 0 && sizeBytes + pending.sizeBytes > MAX_GROUP_BYTES) break;
      sizeBytes += pending.sizeBytes;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #writeGroup(group: readonly Pending[]): Promise<void> {
    try {
      const operations: Operation[] = [];
      for (const pending of group) pending.stage(operations);
      for (const operation of this.#chunks.takeOperations()) operations.push(operation);
      operations.push({ key: STATE_KEY, value: encodeState(group.at(-1)!.state) });
      await this.#database.write(operations, { sync: true });
    } catch (thrown) {
      this.#fail(group, asError(thrown));
      return;
    }
    for (const pending of group) pending.resolve();
  }

  /** Nobody knows what the disk holds now: this member may not promise anything any more (S06). */
  #fail(group: readonly Pending[], cause: Error): void {
    const failure =
      cause instanceof StorageError ? cause : new StorageError(`the log cannot be saved: ${cause.message}`, { cause });
    this.#failure = failure;
    for (const pending of [...group, ...this.#queue.splice(0)]) pending.reject(failure);
  }
}

async function initialize(path: string, database: Database, create: SnapshotMarker | null): Promise<StoredRaft> {
  if (create === null) throw new DamageError(path, 'the database is empty');
  const state = {
    hardState: { currentTerm: create.term, votedFor: null },
    lastIndex: create.index,
    lastTerm: create.term,
  };
  await database.write(
    [
      { key: STATE_KEY, value: encodeState(state) },
      { key: MARKER_KEY, value: encodeMarker(create) },
    ],
    { sync: true },
  );
  return { state, marker: create, installing: null, entries: [] };
}
