import type { Database, DatabaseView, Disk, KeyRange, Operation } from '../../src/storage/disk.js';
import type { FaultCounts } from './fault-counts.js';
import type { Machine } from './machine.js';
import type { Scheduler } from './scheduler.js';
import {
  type Batch,
  type Pairs,
  type StoredDatabase,
  type Volume,
  StoredDatabase as NewDatabase,
  applyBatch,
  toBatch,
} from './volume.js';

export interface DiskSpeed {
  /** Mean time of a write that is not synced, in milliseconds. */
  readonly writeMs: number;
  /** Mean time that a sync adds. */
  readonly syncMs: number;
}

/** The disk as one process sees it. What it has under way when the process dies is decided by Volume.crash. */
export class SimDisk implements Disk {
  readonly path: string;
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #boot: number;
  readonly #volume: Volume;
  readonly #speed: DiskSpeed;
  readonly #counts: FaultCounts;

  constructor(scheduler: Scheduler, machine: Machine, volume: Volume, speed: DiskSpeed, counts: FaultCounts) {
    this.path = `/sim/${machine.name}`;
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#boot = machine.boot;
    this.#volume = volume;
    this.#speed = speed;
    this.#counts = counts;
  }

  async open(name: string, options: { readonly create: boolean }): Promise<Database> {
    await this.delay(this.#speed.writeMs, 'disk open');
    let stored = this.#volume.databases.get(name);
    if (stored === undefined) {
      if (!options.create) throw new SimDiskError(`database ${this.path}/${name} does not exist`);
      stored = new NewDatabase();
      this.#volume.databases.set(name, stored);
    }
    if (stored.isOpen) throw new SimDiskError(`database ${this.path}/${name} is locked by an earlier open`);
    if (stored.isDamaged)
      throw new SimDiskError(`database ${this.path}/${name} is damaged: half of its files are gone`);
    // LevelDB turns its log into a synced table when it opens.
    stored.synced = stored.visible.clone();
    stored.unsynced = [];
    stored.isOpen = true;
    stored.hasFailed = false;
    return new SimDatabase(this, name, stored, this.#volume);
  }

  async exists(name: string): Promise<boolean> {
    return this.#volume.databases.has(name) || this.#volume.files.has(name);
  }

  replace(name: string, by: string): Promise<void> {
    return this.#change('disk replace', () => {
      const source = this.#closed(by);
      if (source === undefined) throw new SimDiskError(`database ${this.path}/${by} does not exist`);
      this.#closed(name);
      this.#volume.databases.delete(by);
      this.#volume.databases.set(name, source);
    });
  }

  async remove(name: string): Promise<void> {
    const stored = this.#closed(name);
    if (stored === undefined) return;
    stored.isDamaged = true;
    await this.#change('disk remove', () => this.#volume.databases.delete(name));
  }

  async readFile(name: string): Promise<Buffer | null> {
    await this.delay(this.#speed.writeMs, 'disk read');
    const content = this.#volume.files.get(name);
    return content === undefined ? null : Buffer.from(content);
  }

  writeFile(name: string, content: Buffer): Promise<void> {
    const copy = Buffer.from(content);
    return this.#change('disk file', () => this.#volume.files.set(name, copy));
  }

  async sizeOf(name: string): Promise<number> {
    let bytes = 0;
    for (const [key, value] of this.#volume.databases.get(name)?.visible.entries() ?? [])
      bytes += key.length + value.length;
    return bytes;
  }

  /** Resolves when the disk has had its time for an operation of about `meanMs`. Never, if the process dies before. */
  delay(meanMs: number, label: string): Promise<void> {
    return new Promise((resolve) => this.later(this.latencyMs(meanMs), label, resolve));
  }

  later(delayMs: number, label: string, run: () => void): void {
    this.#scheduler.afterOn(this.#machine, this.#boot, delayMs, label, run);
  }

  latencyMs(meanMs: number): number {
    const stallMs = Math.max(0, this.#volume.stalledUntilMs - this.#scheduler.nowMs);
    const latencyMs = stallMs + Math.min(this.#volume.random.exponential(meanMs), this.#volume.longestMs);
    this.#volume.busyUntilMs = Math.max(this.#volume.busyUntilMs, this.#scheduler.nowMs + latencyMs);
    return latencyMs;
  }

  writeLatencyMs(sync: boolean): number {
    return this.latencyMs(this.#speed.writeMs + (sync ? this.#speed.syncMs : 0));
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  count(fault: string): void {
    this.#counts.add(fault);
  }

  /** A synced change of names or files: a crash before its end may find it done or not. */
  async #change(label: string, apply: () => void): Promise<void> {
    const change = { apply };
    this.#volume.pendingChanges.add(change);
    await this.delay(this.#speed.writeMs + this.#speed.syncMs, label);
    this.#volume.pendingChanges.delete(change);
    apply();
  }

  #closed(name: string): StoredDatabase | undefined {
    const stored = this.#volume.databases.get(name);
    if (stored?.isOpen) throw new SimDiskError(`database ${this.path}/${name} is open, expected it to be closed`);
    return stored;
  }
}

/** A write that the disk has not answered yet. */
interface PendingWrite {
  readonly batch: Batch;
  readonly sync: boolean;
  readonly resolve: () => void;
  readonly reject: (failure: SimDiskError) => void;
}

class SimDatabase implements Database {
  readonly #disk: SimDisk;
  readonly #name: string;
  readonly #stored: StoredDatabase;
  readonly #volume: Volume;
  #isClosed = false;
  #pending: PendingWrite[] = [];
  /** When the last of them ends: writes finish in call order. */
  #lastEndMs = 0;
  #idle: (() => void)[] = [];

  constructor(disk: SimDisk, name: string, stored: StoredDatabase, volume: Volume) {
    this.#disk = disk;
    this.#name = name;
    this.#stored = stored;
    this.#volume = volume;
  }

  get(key: Buffer): Buffer | undefined {
    this.#checkOpen();
    return valueIn(this.#stored.visible, key);
  }

  write(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    this.#checkOpen();
    const batch = toBatch(operations);
    this.#stored.unsynced.push(batch);
    const nowMs = this.#disk.nowMs;
    this.#lastEndMs = Math.max(this.#lastEndMs, nowMs + this.#disk.writeLatencyMs(options.sync));
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, sync: options.sync, resolve, reject });
      const label = options.sync ? 'disk sync' : 'disk write';
      this.#disk.later(this.#lastEndMs - nowMs, label, () => this.#finishNext());
    });
  }

  snapshot(): DatabaseView {
    this.#checkOpen();
    return new SimView(this.#disk, this.#stored.visible.clone());
  }

  async close(): Promise<void> {
    this.#checkOpen();
    this.#isClosed = true;
    while (this.#pending.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#stored.isOpen = false;
  }

  /** The disk answers the oldest write. */
  #finishNext(): void {
    const next = this.#pending.shift();
    if (next === undefined) throw new Error('a write ended that had not begun');
    const { batch, sync, resolve, reject } = next;
    const failure = this.#failureOf(batch);
    if (failure) {
      reject(failure);
    } else {
      batch.written = true;
      applyBatch(this.#stored.visible, batch);
      if (sync) {
        const batches = this.#stored.sync(batch);
        this.#volume.observer?.onSynced(this.#name, batches);
      }
      resolve();
    }
    if (this.#pending.length === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  /** The first failing write may have reached the disk or not: it stays among the unsynced. Those after it never do. */
  #failureOf(batch: Batch): SimDiskError | null {
    const stored = this.#stored;
    if (stored.hasFailed) {
      stored.unsynced.splice(stored.unsynced.indexOf(batch), 1);
    } else if (this.#volume.failNextWrite) {
      this.#volume.failNextWrite = false;
      stored.hasFailed = true;
      this.#disk.count('disk write failed');
    }
    return stored.hasFailed ? new SimDiskError(`write to ${this.#disk.path}/${this.#name} failed: EIO`, true) : null;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new SimDiskError(`database ${this.#disk.path}/${this.#name} is closed`);
  }
}

class SimView implements DatabaseView {
  readonly #disk: SimDisk;
  readonly #pairs: Pairs;

  constructor(disk: SimDisk, pairs: Pairs) {
    this.#disk = disk;
    this.#pairs = pairs;
  }

  get(key: Buffer): Buffer | undefined {
    return valueIn(this.#pairs, key);
  }

  async *pages(range: KeyRange, pageSize = 1_000): AsyncIterable<readonly (readonly [Buffer, Buffer])[]> {
    const pairs = this.#pairs.getRange(range.gte.toString('latin1'), range.lt.toString('latin1'), false);
    for (let start = 0; start < pairs.length; start += pageSize) {
      await this.#disk.delay(0.1, 'disk scan');
      const page = pairs.slice(start, start + pageSize);
      yield page.map(([key, value]) => [Buffer.from(key, 'latin1'), Buffer.from(value)] as const);
    }
  }

  async close(): Promise<void> {}
}

function valueIn(pairs: Pairs, key: Buffer): Buffer | undefined {
  const value = pairs.get(key.toString('latin1'));
  return value && Buffer.from(value);
}

/** The simulated disk refused. */
export class SimDiskError extends Error {
  readonly code = 'SIM_DISK';

  constructor(
    message: string,
    /** The simulation made it fail; otherwise whoever called is wrong. */
    readonly isInjected = false,
  ) {
    super(message);
  }
}

/** Whether an injected failure of the disk is at the bottom of `error`. */
export function isDiskFailure(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SimDiskError && cause.isInjected) return true;
  }
  return false;
}
