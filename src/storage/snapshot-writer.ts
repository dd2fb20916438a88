import type { Database, Disk } from './disk.js';
import { SnapshotStreamError } from './errors.js';
import { KV_INCOMING_DATABASE } from './keyspace.js';
import { sealValue } from './kv-values.js';
import type { SnapshotHeader } from './snapshot-format.js';
import { SnapshotReader } from './snapshot-reader.js';

/**
 * Writes a snapshot stream into a database of its own, beside the one in use. It becomes visible only when it is whole and
 * KvStoreOnDisk.installIncoming is called.
 */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #database: Database;
  readonly #reader = new SnapshotReader();
  #isOpen = true;

  private constructor(disk: Disk, database: Database) {
    this.#disk = disk;
    this.#database = database;
  }

  /** Throws away whatever an earlier transfer left. */
  static async open(disk: Disk): Promise<SnapshotWriter> {
    await disk.remove(KV_INCOMING_DATABASE);
    return new SnapshotWriter(disk, await disk.open(KV_INCOMING_DATABASE, { create: true }));
  }

  /** null until it has come in. */
  get header(): SnapshotHeader | null {
    return this.#reader.header;
  }

  /** The next bytes of the stream, cut anywhere. One call at a time. Rejects with SnapshotStreamError when they are damaged. */
  async write(data: Buffer): Promise<void> {
    if (!this.#isOpen) throw new SnapshotStreamError('the snapshot has been given up or finished');
    for (const pairs of this.#reader.read(data)) {
      const operations = pairs.map(([key, value]) => ({ key, value: sealValue(key, value) }));
      await this.#database.write(operations, { sync: false });
    }
  }

  /** The stream has ended: everything came, is as it was sent, and is on disk. Closes the database. */
  async finish(): Promise<void> {
    this.#reader.end();
    await this.#database.write([], { sync: true });
    await this.#close();
  }

  /** Throws away what has come, finished or not. */
  async abandon(): Promise<void> {
    await this.#close();
    await this.#disk.remove(KV_INCOMING_DATABASE);
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#database.close();
  }
}
