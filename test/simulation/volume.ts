import BTreeModule from 'sorted-btree';
import type { Operation } from '../../src/storage/disk.js';
import type { SeededRandom } from './random.js';

const BTree = BTreeModule.default;
/** Keys as latin1 text, which keeps the order of the bytes. */
export type Pairs = InstanceType<typeof BTree<string, Buffer>>;

/** One write, on its way to the disk or on it. */
export interface Batch {
  readonly operations: readonly (readonly [string, Buffer | null])[];
  /** The process was told that it is done; without a sync a power cut can still lose it. */
  written: boolean;
}

/** How a process ends: killed, it leaves what it had written to the operating system; a power cut takes what was not synced. */
export type CrashMode = 'kill' | 'power';

/** What one machine's disk holds of one database. */
export class StoredDatabase {
  /** Survives everything. */
  synced: Pairs = newPairs();
  /** What a reader sees: `synced` and all that was written since. */
  visible: Pairs = newPairs();
  /** In the order of the calls. A crash keeps a prefix, never more after a gap. */
  unsynced: Batch[] = [];
  isOpen = false;
  /** A write failed: LevelDB then refuses all others until it is opened anew. */
  hasFailed = false;
  /** Half removed when the machine went down: it cannot be opened. */
  isDamaged = false;

  /** Everything up to and including `last` is safe from now on. Tells which batches that are. */
  sync(last: Batch): readonly Batch[] {
    const count = this.unsynced.indexOf(last) + 1;
    const batches = this.unsynced.splice(0, count);
    for (const batch of batches) applyBatch(this.synced, batch);
    return batches;
  }

  /** What is found after the crash. Tells which batches made it. */
  crash(mode: CrashMode, random: SeededRandom): readonly Batch[] {
    const certain = mode === 'kill' ? countWhile(this.unsynced, (batch) => batch.written) : 0;
    const kept = this.unsynced.slice(0, certain + prefix(this.unsynced.length - certain, random));
    for (const batch of kept) applyBatch(this.synced, batch);
    this.visible = this.synced.clone();
    this.unsynced = [];
    this.isOpen = false;
    this.hasFailed = false;
    return kept;
  }
}

/** A change of names or small files: done at one moment between the call and its end. */
interface PendingChange {
  readonly apply: () => void;
}

/** Sees what becomes durable on one machine. */
export interface VolumeObserver {
  onSynced(database: string, batches: readonly Batch[]): void;
}

/** The disk of one machine: it stays when processes come and go. */
export class Volume {
  readonly databases = new Map<string, StoredDatabase>();
  readonly files = new Map<string, Buffer>();
  readonly pendingChanges = new Set<PendingChange>();
  observer: VolumeObserver | null = null;
  /** Nothing completes before this moment, in virtual milliseconds. */
  stalledUntilMs = 0;
  /** When the last operation that has begun will end, in virtual milliseconds: a stall holds up what began in it. */
  busyUntilMs = 0;
  /** No operation takes longer than this, but for a stall. */
  longestMs = Infinity;
  /** The next write to any database fails. */
  failNextWrite = false;

  constructor(readonly random: SeededRandom) {}

  crash(mode: CrashMode): void {
    for (const change of this.pendingChanges) if (this.random.chance(0.5)) change.apply();
    this.pendingChanges.clear();
    this.failNextWrite = false;
    for (const [name, database] of this.databases) {
      const kept = database.crash(mode, this.random);
      if (kept.length > 0) this.observer?.onSynced(name, kept);
    }
  }
}

export function toBatch(operations: readonly Operation[]): Batch {
  return {
    // Copies, as LevelDB makes them: whoever writes into a buffer later must not reach the disk.
    operations: operations.map(({ key, value }) => [key.toString('latin1'), value && Buffer.from(value)]),
    written: false,
  };
}

export function applyBatch(pairs: Pairs, batch: Batch): void {
  for (const [key, value] of batch.operations) {
    if (value === null) pairs.delete(key);
    else pairs.set(key, value);
  }
}

export function newPairs(): Pairs {
  return new BTree<string, Buffer>();
}

/** How many of `count` batches survive: often none or all, since those are the ends where mistakes hide. */
function prefix(count: number, random: SeededRandom): number {
  const kind = random.below(3);
  const some = random.below(count + 1);
  return kind === 0 ? 0 : kind === 1 ? count : some;
}

function countWhile<T>(items: readonly T[], holds: (item: T) => boolean): number {
  const end = items.findIndex((item) => !holds(item));
  return end === -1 ? items.length : end;
}
