import { asError } from '../lib/errors.js';
import { decodeRecords } from '../raft/entry-codec.js';
import { CorruptRecordError } from '../raft/errors.js';
import type { Entry, LogIndex, SnapshotMarker, Term } from '../raft/messages.js';
import type { Database, DatabaseView } from './disk.js';
import { DamageError } from './errors.js';
import { CHUNK_RANGE, INSTALLING_KEY, MARKER_KEY, STATE_KEY, lastIndexOf } from './keyspace.js';
import type { RaftChunks } from './raft-chunks.js';
import { type StoredState, decodeMarker, decodeState } from './raft-records.js';

/** The content of a raft database. */
export interface StoredRaft {
  readonly state: StoredState;
  readonly marker: SnapshotMarker;
  readonly installing: SnapshotMarker | null;
  /** After `marker.index`, through `state.lastIndex`. */
  readonly entries: readonly Entry[];
}

/**
 * Reads a raft database and proves that it is whole: every record's checksum, indexes without a gap from the marker to
 * the last one that was saved, terms that never fall. Reports its chunks to `chunks`.
 * @returns null when nothing at all is in it: it has been created, and then the member stopped.
 * @throws DamageError that names database, index and what was expected (S03, S04).
 */
export async function loadRaft(path: string, database: Database, chunks: RaftChunks): Promise<StoredRaft | null> {
  const view = database.snapshot();
  try {
    const stateRecord = view.get(STATE_KEY);
    const markerRecord = view.get(MARKER_KEY);
    if (stateRecord === undefined && markerRecord === undefined && (await isEmpty(view))) return null;
    const state = decoded(path, 'term and vote', stateRecord, decodeState);
    const marker = decoded(path, 'snapshot marker', markerRecord, decodeMarker);
    const installingRecord = view.get(INSTALLING_KEY);
    const installing =
      installingRecord === undefined ? null : decoded(path, 'note of an install', installingRecord, decodeMarker);
    const log = new LogCheck(path, marker);
    for await (const page of view.pages(CHUNK_RANGE)) {
      for (const [key, value] of page) {
        const [first, last] = log.chunk(key, value);
        chunks.found(first, last);
      }
    }
    log.end(state);
    return { state, marker, installing, entries: log.entries };
  } finally {
    await view.close();
  }
}

async function isEmpty(view: DatabaseView): Promise<boolean> {
  for await (const page of view.pages(CHUNK_RANGE, 1)) return page.length === 0;
  return true;
}

function decoded<T>(path: string, what: string, record: Buffer | undefined, decode: (record: Buffer) => T | null): T {
  if (record === undefined) throw new DamageError(path, `the record of ${what} is missing`);
  const value = decode(record);
  if (value === null) throw new DamageError(path, `the record of ${what} is damaged`);
  return value;
}

/** Walks the chunks in order and compares each with what must come next. */
class LogCheck {
  readonly entries: Entry[] = [];
  readonly #path: string;
  readonly #marker: SnapshotMarker;
  /** Index of the last entry seen; null before the first. */
  #lastIndex: LogIndex | null = null;
  #lastTerm: Term = 0;

  constructor(path: string, marker: SnapshotMarker) {
    this.#path = path;
    this.#marker = marker;
  }

  /** @returns the first and last index of the chunk. */
  chunk(key: Buffer, value: Buffer): [LogIndex, LogIndex] {
    const named = lastIndexOf(key);
    const entries = this.#decode(value, named);
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last?.index !== named) {
      throw this.#damage(`the chunk for index ${named} ends with index ${last?.index ?? 'none'}`);
    }
    this.#follows(first.index);
    for (const entry of entries) this.#entry(entry);
    return [first.index, named];
  }

  end(state: StoredState): void {
    const { index, term } = this.entries.at(-1) ?? this.#marker;
    if (index !== state.lastIndex || term !== state.lastTerm) {
      throw this.#damage(
        `the log ends with index ${index} of term ${term}, expected index ${state.lastIndex} of term ${state.lastTerm}`,
      );
    }
    if (state.hardState.currentTerm < term) {
      throw this.#damage(
        `entry ${index} has term ${term}, expected at most the current term ${state.hardState.currentTerm}`,
      );
    }
  }

  #follows(first: LogIndex): void {
    // What the marker covers may be gone in part, never more than that.
    const isNext = this.#lastIndex === null ? first <= this.#marker.index + 1 : first === this.#lastIndex + 1;
    if (isNext) return;
    const expected = (this.#lastIndex ?? this.#marker.index) + 1;
    throw this.#damage(`entry ${expected} is missing, the log goes on with entry ${first}`);
  }

  #entry(entry: Entry): void {
    const { index, term } = entry;
    const markerTerm = this.#marker.term;
    if (index === this.#marker.index && term !== markerTerm) {
      throw this.#damage(`entry ${index} has term ${term}, expected ${markerTerm} as the snapshot marker says`);
    }
    const floor = index > this.#marker.index ? Math.max(this.#lastTerm, markerTerm) : this.#lastTerm;
    if (term < floor) throw this.#damage(`entry ${index} has term ${term}, expected at least ${floor}`);
    this.#lastIndex = index;
    this.#lastTerm = term;
    if (index > this.#marker.index) this.entries.push(entry);
  }

  #decode(value: Buffer, named: LogIndex): Entry[] {
    try {
      return decodeRecords(value);
    } catch (thrown) {
      if (!(thrown instanceof CorruptRecordError)) throw thrown;
      const found = `the chunk for index ${named} is damaged: ${asError(thrown).message}`;
      throw new DamageError(this.#path, found, undefined, { cause: thrown });
    }
  }

  #damage(found: string): DamageError {
    return new DamageError(this.#path, found);
  }
}
