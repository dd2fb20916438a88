/** A position in the history of the key space: `main` is etcd's revision, `sub` orders the changes within it. */
export interface Revision {
  readonly main: number;
  readonly sub: number;
}

/**
 * The tables that the state machine keeps in its store.
 *
 * | table      | key                                         | value                                     |
 * |------------|---------------------------------------------|-------------------------------------------|
 * | `revision` | main (8 bytes BE), sub (4 bytes BE)         | see kv/revision-record.ts                 |
 * | `member`   | member id (8 bytes BE)                      | see kv/members.ts                         |
 * | `meta`     | a short name                                | see kv/state-machine.ts                   |
 */
export type Table = 'revision' | 'member' | 'meta';

/** `value` null removes the key. */
export interface KvWrite {
  readonly table: Table;
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** The state machine's own store. Deterministic code sits on top; `storage` implements it over LevelDB. */
export interface KvStore {
  /** Synchronous: a handful of microseconds. The value is a copy that the caller may keep. */
  get(table: Table, key: Buffer): Buffer | undefined;
  /** All of `writes` or nothing, after all earlier calls. With `sync`, everything so far is on disk when it resolves. */
  write(writes: readonly KvWrite[], options: { readonly sync: boolean }): Promise<void>;
  /** Everything in one table in key order, as it was when the scan began, in pages. Keys without the table's prefix. */
  scan(table: Table): AsyncIterable<readonly (readonly [Buffer, Buffer])[]>;
}
