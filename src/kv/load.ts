import { DamagedStoreError } from './errors.js';
import { KeyHistory } from './key-history.js';
import { KeyIndex } from './key-index.js';
import { type MemberRecord, decodeMemberRecord } from './members.js';
import { FIRST_REVISION } from './mvcc.js';
import type { KvStore, Revision, Table } from './ports.js';
import { damagedRevision, decodeRecord, decodeRevision } from './revision-record.js';
import type { StateRecord } from './state-record.js';
import type { KeyValue } from './wire/requests.js';

/** What an index is built from: the state says what else must be there. */
export interface LoadedIndex {
  readonly index: KeyIndex;
  /** Keys whose newest change is a deletion. */
  readonly deletedKeys: number;
}

/**
 * Reads every revision and builds the index anew. The checksums show damage; that revisions follow each other without a
 * gap, that each change fits the one before, and the number of records show what has gone missing.
 *
 * @throws DamagedStoreError
 */
export async function loadIndex(store: KvStore, state: StateRecord): Promise<LoadedIndex> {
  const builder = new IndexBuilder(state);
  for await (const page of store.scan('revision')) {
    for (const [key, record] of page) {
      const { main, sub } = decodeRevision(key);
      builder.add(main, sub, decodeRecord(record, main, sub));
    }
  }
  return builder.finish();
}

/** @throws DamagedStoreError */
export async function loadMembers(store: KvStore, state: StateRecord): Promise<Map<bigint, MemberRecord>> {
  const members = new Map<bigint, MemberRecord>();
  for await (const page of store.scan('member')) {
    for (const [key, record] of page) {
      const member = decodeMemberRecord(key, record);
      members.set(member.id, member);
    }
  }
  expectRecords('member', members.size, state.memberRecords);
  return members;
}

function expectRecords(table: Table, found: number, expected: number): void {
  if (found === expected) return;
  throw new DamagedStoreError(table, 'all', `found ${found} records, expected ${expected}`);
}

class IndexBuilder {
  readonly #state: StateRecord;
  readonly #index = new KeyIndex();
  /** The revision before the next one, from where on none may be missing. */
  #last: Revision;
  #count = 0;
  #deletedKeys = 0;

  constructor(state: StateRecord) {
    this.#state = state;
    this.#last = { main: Math.max(state.compactRevision, FIRST_REVISION), sub: 0 };
  }

  add(main: number, sub: number, kv: KeyValue): void {
    this.#count++;
    this.#checkOrder(main, sub);
    const problem = this.#append(main, sub, kv);
    if (problem !== null) throw damagedRevision(main, sub, problem);
  }

  finish(): LoadedIndex {
    const { revision, revisionRecords } = this.#state;
    if (this.#last.main !== revision) throw damagedRevision(this.#last.main + 1, 0, 'the record is gone');
    expectRecords('revision', this.#count, revisionRecords);
    return { index: this.#index, deletedKeys: this.#deletedKeys };
  }

  /** Nothing may be missing after the compact revision. Up to it, compaction has left gaps. */
  #checkOrder(main: number, sub: number): void {
    const { compactRevision, revision } = this.#state;
    if (main > revision)
      throw damagedRevision(main, sub, `the record is newer than the store, which is at ${revision}`);
    if (main <= compactRevision) return;
    const last = this.#last;
    const follows = (main === last.main && sub === last.sub + 1) || (main === last.main + 1 && sub === 0);
    if (!follows) throw damagedRevision(main, sub, `expected the record after ${last.main}.${last.sub}`);
    this.#last = { main, sub };
  }

  /** @returns what is wrong with the change, or null */
  #append(main: number, sub: number, kv: KeyValue): string | null {
    const history = this.#index.find(kv.key);
    const isDeletion = kv.version === 0;
    if (history === undefined) {
      const isFirst = kv.version === 1 && kv.createRevision === main;
      if (!isFirst && main > this.#state.compactRevision) return 'the history of its key before it is gone';
      this.#index.insert(kv.key, new KeyHistory(main, sub, kv.createRevision, kv.version));
    } else {
      const { newest } = history;
      const follows =
        isDeletion || history.isLive
          ? history.isLive && (isDeletion || isNextVersion(history, newest, kv))
          : kv.version === 1 && kv.createRevision === main;
      if (!follows) return 'it does not fit the history of its key before it';
      if (!history.isLive) this.#deletedKeys--;
      history.append(main, sub, kv.createRevision, kv.version);
    }
    if (isDeletion) this.#deletedKeys++;
    return null;
  }
}

function isNextVersion(history: KeyHistory, newest: number, kv: KeyValue): boolean {
  return kv.version === history.version(newest) + 1 && kv.createRevision === history.create(newest);
}
