import type { KvStore, KvWrite, Table } from '../kv/ports.js';
import type { Database, DatabaseView, Disk, Operation } from './disk.js';
import { DamageError } from './errors.js';
import { KV_DATABASE, KV_INCOMING_DATABASE, PREFIX_BYTES, tableKey, tableRange } from './keyspace.js';
import { sealValue, unsealValue } from './kv-values.js';
import { type SnapshotHeader, type SnapshotStream, openSnapshotStream } from './snapshot-stream.js';

/** The store at one moment. Closed by whoever took it, or by the stream made of it. */
export interface KvView {
  get(table: Table, key: Buffer): Buffer | undefined;
  /** All of it as bytes (snapshot-stream.ts). Closing the stream closes the view. */
  stream(header: SnapshotHeader): SnapshotStream;
  close(): Promise<void>;
}

/** The state machine's store in a LevelDB. Reads are checked: a value that is not what was written throws a DamageError. */
export class KvStoreOnDisk implements KvStore {
  readonly #disk: Disk;
  readonly #path: string;
  #database: Database;

  private constructor(disk: Disk, database: Database) {
    this.#disk = disk;
    this.#path = `${disk.path}/${KV_DATABASE}`;
    this.#database = database;
  }

  /** @throws DamageError when it is missing and not to be created, or damaged. */
  static async open(disk: Disk, options: { readonly create: boolean }): Promise<KvStoreOnDisk> {
    return new KvStoreOnDisk(disk, await disk.open(KV_DATABASE, options));
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    return checkedGet(this.#path, this.#database, table, key);
  }

  /** Rejects with StorageError once a write has failed. */
  write(writes: readonly KvWrite[], options: { readonly sync: boolean }): Promise<void> {
    return this.#database.write(writes.map(operationOf), options);
  }

  async *scan(table: Table): AsyncIterable<(readonly [Buffer, Buffer])[]> {
    yield* this.#scan(table, this.#database.snapshot());
  }

  /** What has been written by now, also if not synced; a write under way may be in it or not, as a whole. */
  view(): KvView {
    const view = this.#database.snapshot();
    return {
      get: (table, key) => checkedGet(this.#path, view, table, key),
      stream: (header) => openSnapshotStream(this.#path, view, header),
      close: () => view.close(),
    };
  }

  /** Becomes the snapshot that a SnapshotWriter has finished. Nothing may read or write meanwhile. */
  async installIncoming(): Promise<void> {
    await this.#database.close();
    await this.#disk.replace(KV_DATABASE, KV_INCOMING_DATABASE);
    this.#database = await this.#disk.open(KV_DATABASE, { create: false });
  }

  /** Approximate, on disk. */
  sizeBytes(): Promise<number> {
    return this.#disk.sizeOf(KV_DATABASE);
  }

  /** After the writes under way. */
  close(): Promise<void> {
    return this.#database.close();
  }

  async *#scan(table: Table, view: DatabaseView): AsyncIterable<(readonly [Buffer, Buffer])[]> {
    try {
      for await (const page of view.pages(tableRange(table))) {
        yield page.map(([key, sealed]) => [key.subarray(PREFIX_BYTES), checked(this.#path, key, sealed)]);
      }
    } finally {
      await view.close();
    }
  }
}

function checkedGet(path: string, from: Database | DatabaseView, table: Table, key: Buffer): Buffer | undefined {
  const prefixed = tableKey(table, key);
  const sealed = from.get(prefixed);
  return sealed && checked(path, prefixed, sealed);
}

function checked(path: string, key: Buffer, sealed: Buffer): Buffer {
  const value = unsealValue(key, sealed);
  if (value === null) throw new DamageError(path, `the value of key ${key.toString('hex')} is damaged`);
  return value;
}

function operationOf({ table, key, value }: KvWrite): Operation {
  const prefixed = tableKey(table, key);
  return { key: prefixed, value: value && sealValue(prefixed, value) };
}
