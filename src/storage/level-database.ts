import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Level } from 'level';
import type { Database, DatabaseView, KeyRange, Operation } from './disk.js';
import { storageFailure } from './level-errors.js';
import { nullIfMissing, syncDirectory, syncFile } from './files.js';

/** Keys and values as they are, without encoding. */
export type BufferLevel = Level<Buffer, Buffer>;
type LevelSnapshot = ReturnType<BufferLevel['snapshot']>;

/** Pairs in a page, and bytes after which a page ends early. */
const PAGE_PAIRS = 1000;
const PAGE_BYTES = 1024 * 1024;

/** A directory changed this recently may change again within the same tick of the file system's clock. */
const CLOCK_TICK_MS = 20;

/** One open LevelDB. Writes one batch at a time, in call order. */
export class LevelDatabase implements Database {
  readonly #level: BufferLevel;
  readonly #location: string;
  #lastWrite: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #hasUnsyncedWrites = false;
  /** Modification time of the directory when its names were last made durable. */
  #syncedChangeMs = 0;

  constructor(level: BufferLevel) {
    this.#level = level;
    this.#location = level.location;
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#level.getSync(key);
    } catch (thrown) {
      throw storageFailure(this.#location, 'read', thrown);
    }
  }

  write(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    const write = this.#lastWrite.then(() => this.#perform(operations, options.sync));
    this.#lastWrite = write.catch(() => {}); // the caller has the error; the next write meets #failure
    return write;
  }

  snapshot(): DatabaseView {
    return new LevelView(this.#level, this.#level.snapshot());
  }

  async close(): Promise<void> {
    await this.#lastWrite;
    await this.#level.close();
  }

  async #perform(operations: readonly Operation[], sync: boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      if (!sync) this.#hasUnsyncedWrites = true;
      if (operations.length > 0) await this.#writeBatch(operations, sync);
      const changeMs = this.#directoryChange();
      const leavesLogsUnsynced = changeMs !== null || (sync && operations.length === 0);
      if (this.#hasUnsyncedWrites && leavesLogsUnsynced) await this.#syncLogs();
      if (changeMs !== null) await this.#syncNames(changeMs);
      if (sync) this.#hasUnsyncedWrites = false;
    } catch (thrown) {
      this.#failure = storageFailure(this.#location, 'written', thrown);
      throw this.#failure;
    }
  }

  async #writeBatch(operations: readonly Operation[], sync: boolean): Promise<void> {
    const batch = this.#level.batch();
    for (const { key, value } of operations) {
      if (value === null) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write({ sync });
  }

  /**
   * LevelDB opens a fresh log when the old one is full. It syncs neither the name of the new one (S07) nor what of the old
   * one was written without sync, so that a power cut could lose the middle of the history and keep its end (S04).
   * A new file shows in the modification time of the directory; null when there is none.
   */
  #directoryChange(): number | null {
    const changeMs = statSync(this.#location).mtimeMs;
    return changeMs === this.#syncedChangeMs ? null : changeMs;
  }

  async #syncNames(changeMs: number): Promise<void> {
    await syncDirectory(this.#location);
    // Young changes are looked at once more, at the next write.
    if (Date.now() - changeMs > CLOCK_TICK_MS) this.#syncedChangeMs = changeMs;
  }

  async #syncLogs(): Promise<void> {
    const logs = (await readdir(this.#location)).filter((name) => name.endsWith('.log'));
    // One that vanishes meanwhile has become a table, which LevelDB has synced.
    for (const log of logs) await syncFile(join(this.#location, log)).catch(nullIfMissing);
  }
}

class LevelView implements DatabaseView {
  readonly #level: BufferLevel;
  readonly #snapshot: LevelSnapshot;

  constructor(level: BufferLevel, snapshot: LevelSnapshot) {
    this.#level = level;
    this.#snapshot = snapshot;
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#level.getSync(key, { snapshot: this.#snapshot });
    } catch (thrown) {
      throw storageFailure(this.#level.location, 'read', thrown);
    }
  }

  async *pages(range: KeyRange, pageSize = PAGE_PAIRS): AsyncIterable<[Buffer, Buffer][]> {
    const iterator = this.#level.iterator({ ...range, snapshot: this.#snapshot, highWaterMarkBytes: PAGE_BYTES });
    try {
      for (;;) {
        const page = await iterator.nextv(pageSize);
        if (page.length === 0) return;
        yield page;
      }
    } catch (thrown) {
      throw storageFailure(this.#level.location, 'read', thrown);
    } finally {
      await iterator.close();
    }
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
  }
}
