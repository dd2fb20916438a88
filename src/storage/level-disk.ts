import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { lockDirectory } from './directory-lock.js';
import type { Database, Disk } from './disk.js';
import { DamageError } from './errors.js';
import {
  exists,
  makeDirectory,
  nullIfMissing,
  readFileIfAny,
  removeDurably,
  renameDurably,
  syncDirectory,
  writeFileDurably,
} from './files.js';
import { type BufferLevel, LevelDatabase } from './level-database.js';
import { storageFailure } from './level-errors.js';
import { checkLevelFiles } from './leveldb/check-files.js';

/** Databases and files on their way in or out carry these behind their name. Nobody else sees such names. */
const CREATING = '.creating';
const NEXT = '.next';
const OLD = '.old';
const REMOVING = '.removing';
const TRANSIENT = /^(.+)\.(creating|next|old|removing|new)$/;

const MIB = 1024 * 1024;

/** Not compressed: the payloads of the log are small or the client's own, and check-files.ts reads index blocks. */
const COMMON = { compression: false, keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
/** The log is written once, read once at start and thrown away: big buffers so that most of it never becomes a table. */
const RAFT_TUNING = { writeBufferSize: 16 * MIB, maxFileSize: 16 * MIB, cacheSize: MIB, maxOpenFiles: 64 };
/** The state machine's values are read at random behind a cache of their own. */
const KV_TUNING = { writeBufferSize: 8 * MIB, maxFileSize: 8 * MIB, cacheSize: 32 * MIB, maxOpenFiles: 256 };

/** A data directory that this process holds. */
export interface DataDirectory {
  readonly disk: Disk;
  /** Gives the directory up. Its databases must be closed. */
  close(): Promise<void>;
}

/**
 * Creates the directory when it is missing (mode 0700) and locks it.
 * @throws DirectoryLockedError when another process or another member of this one works in it.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  await makeDirectory(path);
  const lock = await lockDirectory(path);
  return { disk: new LevelDisk(path), close: () => lock.release() };
}

/** A locked data directory on a real file system, with a LevelDB per database. */
export class LevelDisk implements Disk {
  #recovered: Promise<void> | null = null;

  constructor(readonly path: string) {}

  async open(name: string, { create }: { readonly create: boolean }): Promise<Database> {
    const location = this.#named(name);
    if (!(await this.exists(name))) {
      if (!create) throw new DamageError(location, 'the database is missing');
      await this.#create(name);
    }
    try {
      await checkLevelFiles(location);
      return new LevelDatabase(await openLevel(location, name, false));
    } catch (thrown) {
      throw storageFailure(location, 'opened', thrown);
    }
  }

  async exists(name: string): Promise<boolean> {
    await this.#recover();
    return exists(this.#named(name));
  }

  async replace(name: string, by: string): Promise<void> {
    this.#named(name);
    if (!(await this.exists(by))) throw new DamageError(this.#at(by), 'the database is missing');
    await renameDurably(this.path, by, name + NEXT); // from here on a restart ends it
    await this.#finishReplace(name);
  }

  async remove(name: string): Promise<void> {
    if (!(await this.exists(name))) return;
    await removeDurably(this.#at(name + REMOVING));
    await renameDurably(this.path, name, name + REMOVING);
    await removeDurably(this.#at(name + REMOVING));
  }

  readFile(name: string): Promise<Buffer | null> {
    return readFileIfAny(this.#named(name));
  }

  writeFile(name: string, content: Buffer): Promise<void> {
    return writeFileDurably(this.#named(name), content);
  }

  async sizeOf(name: string): Promise<number> {
    const location = this.#named(name);
    const files = (await readdir(location).catch(nullIfMissing)) ?? [];
    let bytes = 0;
    for (const file of files) bytes += (await stat(join(location, file)).catch(nullIfMissing))?.size ?? 0;
    return bytes;
  }

  /**
   * Once, before the first look at any database: ends every replace that was decided before a crash, and clears away what
   * else was left half way. Not when the directory is opened: its format may turn out to be a newer one.
   */
  #recover(): Promise<void> {
    return (this.#recovered ??= (async () => {
      const names = await readdir(this.path);
      for (const name of names) if (name.endsWith(NEXT)) await this.#finishReplace(name.slice(0, -NEXT.length));
      for (const name of names) if (TRANSIENT.test(name)) await removeDurably(this.#at(name));
    })());
  }

  /** Under another name first, so that a directory of this name is always a whole database. */
  async #create(name: string): Promise<void> {
    const creating = this.#at(name + CREATING);
    await removeDurably(creating);
    await mkdir(creating, { mode: 0o700 });
    try {
      await (await openLevel(creating, name, true)).close();
    } catch (thrown) {
      throw storageFailure(creating, 'opened', thrown);
    }
    await syncDirectory(creating);
    await renameDurably(this.path, name + CREATING, name);
  }

  async #finishReplace(name: string): Promise<void> {
    if (await exists(this.#at(name))) {
      await removeDurably(this.#at(name + OLD));
      await renameDurably(this.path, name, name + OLD);
    }
    await renameDurably(this.path, name + NEXT, name);
    await removeDurably(this.#at(name + OLD));
  }

  #named(name: string): string {
    if (!/^[a-z][a-z0-9.-]*$/.test(name) || TRANSIENT.test(name))
      throw new TypeError(`"${name}" is no name for a database`);
    return this.#at(name);
  }

  #at(name: string): string {
    return join(this.path, name);
  }
}

async function openLevel(location: string, name: string, create: boolean): Promise<BufferLevel> {
  const tuning = name === 'raft' ? RAFT_TUNING : KV_TUNING;
  const level = new Level<Buffer, Buffer>(location, { ...COMMON, ...tuning, createIfMissing: create });
  await level.open();
  return level;
}
