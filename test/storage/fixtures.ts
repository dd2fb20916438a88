import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Database, Disk, Operation } from '../../src/storage/disk.js';
import { type DataDirectory, openDataDirectory } from '../../src/storage/level-disk.js';
import type { DiskFixture } from '../contracts/disk.contract.js';

/** A fresh directory that goes with the test. */
export async function temporaryDirectory(t?: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'raftkv-storage-'));
  t?.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A disk of LevelDBs in a temporary directory. */
export async function levelDiskFixture(): Promise<DiskFixture & { readonly path: string }> {
  const path = join(await temporaryDirectory(), 'member');
  let directory: DataDirectory = await openDataDirectory(path);
  return {
    path,
    disk: directory.disk,
    restart: async () => {
      await directory.close();
      directory = await openDataDirectory(path);
      return directory.disk;
    },
    run: (work) => work(),
    dispose: async () => {
      await directory.close();
      await rm(join(path, '..'), { recursive: true, force: true });
    },
  };
}

/** Passes everything on, and keeps the batches that were written. After `refuseAfter` of them writes fail. */
export class RecordingDisk implements Disk {
  readonly batches: { readonly operations: readonly Operation[]; readonly sync: boolean }[] = [];
  refuseAfter = Infinity;
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get path(): string {
    return this.#disk.path;
  }

  async open(name: string, options: { readonly create: boolean }): Promise<Database> {
    const database = await this.#disk.open(name, options);
    return {
      get: (key) => database.get(key),
      snapshot: () => database.snapshot(),
      close: () => database.close(),
      write: (operations, { sync }) => {
        if (this.batches.length >= this.refuseAfter) return Promise.reject(new Error('EIO: i/o error'));
        this.batches.push({ operations, sync });
        return database.write(operations, { sync });
      },
    };
  }

  exists(name: string): Promise<boolean> {
    return this.#disk.exists(name);
  }

  replace(name: string, by: string): Promise<void> {
    return this.#disk.replace(name, by);
  }

  remove(name: string): Promise<void> {
    return this.#disk.remove(name);
  }

  readFile(name: string): Promise<Buffer | null> {
    return this.#disk.readFile(name);
  }

  writeFile(name: string, content: Buffer): Promise<void> {
    return this.#disk.writeFile(name, content);
  }

  sizeOf(name: string): Promise<number> {
    return this.#disk.sizeOf(name);
  }
}
