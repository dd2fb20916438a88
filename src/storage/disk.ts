/** One change of a batch. `value` null removes the key. */
export interface Operation {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** Keys from `gte` up to but not including `lt`, in byte order. */
export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

/**
 * One LevelDB, or the simulator's model of one.
 *
 * What a crash leaves is a prefix of the writes in call order that holds at least everything synced. Where a real disk
 * breaks that (a batch lost or damaged while a later one is there), `Disk.open` rejects with a DamageError.
 */
export interface Database {
  /** Synchronous. The value is a copy that the caller may keep. */
  get(key: Buffer): Buffer | undefined;
  /**
   * All or nothing, in call order. With `sync` it and every earlier write are on disk when it resolves. Once one has
   * rejected, every later one does: after a failed sync nobody knows what the disk holds.
   */
  write(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void>;
  /** A consistent view, unmoved by later writes. */
  snapshot(): DatabaseView;
  /** Waits for the writes under way. Open views are closed with it. */
  close(): Promise<void>;
}

export interface DatabaseView {
  /** Synchronous, as Database.get, but of the moment the view was taken. */
  get(key: Buffer): Buffer | undefined;
  /** Pages of at most `pageSize` pairs in key order. */
  pages(range: KeyRange, pageSize?: number): AsyncIterable<readonly (readonly [Buffer, Buffer])[]>;
  close(): Promise<void>;
}

/**
 * The folder of one member: databases by name, and small files. Names are plain, without separators.
 *
 * A crash inside `remove` may leave a database that cannot be opened, only removed. One inside `open` with `create` leaves
 * nothing or an empty database.
 */
export interface Disk {
  /** Where it is, for messages. */
  readonly path: string;
  /** Opens the database, creating it only with `create`. Rejects with a DamageError that names the file if it cannot. */
  open(name: string, options: { readonly create: boolean }): Promise<Database>;
  exists(name: string): Promise<boolean>;
  /** Renames a closed database over another, which goes, so that after a crash exactly one of the two is found. Synced. */
  replace(name: string, by: string): Promise<void>;
  /** Removes a closed database, if it is there. */
  remove(name: string): Promise<void>;
  /** null when there is none. */
  readFile(name: string): Promise<Buffer | null>;
  /** Replaces the file as a whole, durably: new file, sync, rename, sync of the directory. */
  writeFile(name: string, content: Buffer): Promise<void>;
  /** Approximate bytes that a database takes on disk. */
  sizeOf(name: string): Promise<number>;
}
