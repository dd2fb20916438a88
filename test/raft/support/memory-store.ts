import { decodeRecords } from '../../../src/raft/entry-codec.js';
import { StorageError } from '../../../src/raft/errors.js';
import type { Entry, HardState, LogIndex, SnapshotMarker, Term } from '../../../src/raft/messages.js';
import type { Change, Loaded, RaftStore } from '../../../src/raft/ports.js';

interface Write {
  readonly label: string;
  readonly apply: () => void;
  readonly settle: (error: Error | null) => void;
}

/** What of one member survives a crash: its raft directory. Writes take effect in call order, at once or when told to. */
export class MemoryDisk {
  hardState: HardState = { currentTerm: 0, votedFor: null };
  installing: SnapshotMarker | null = null;
  /** Entries after `snapshot`. Their bytes are the disk's own. */
  entries: Entry[] = [];
  /** While true, writes wait for `complete`. */
  isHolding = false;
  /** The next write is refused, and all after it. */
  isBroken = false;
  #pending: Write[] = [];

  constructor(public snapshot: SnapshotMarker) {}

  get pending(): readonly string[] {
    return this.#pending.map((write) => write.label);
  }

  get lastIndex(): LogIndex {
    return this.snapshot.index + this.entries.length;
  }

  termAt(index: LogIndex): Term | null {
    if (index === this.snapshot.index) return this.snapshot.term;
    return this.entries[index - this.snapshot.index - 1]?.term ?? null;
  }

  submit(label: string, apply: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => (error ? reject(error) : resolve());
      this.#pending.push({ label, apply, settle });
      if (!this.isHolding) this.complete();
    });
  }

  /** The first `count` waiting writes get to disk, and their authors hear of it. */
  complete(count = Infinity): void {
    for (const write of this.#pending.splice(0, count)) {
      if (this.isBroken) {
        write.settle(new StorageError('disk is broken'));
        continue;
      }
      write.apply();
      write.settle(null);
    }
  }

  /** The process dies: the first `written` waiting writes were on disk already, though nobody had been told. */
  crash(written: number): void {
    for (const write of this.#pending.splice(0, written)) write.apply();
    this.#pending = [];
    this.isHolding = false;
  }
}

/** One life of a member at its disk. A life that has ended writes nothing any more, and hears nothing. */
export class MemoryStore implements RaftStore {
  isAlive = true;

  constructor(private readonly disk: MemoryDisk) {}

  async load(): Promise<Loaded> {
    const { hardState, snapshot, installing } = this.disk;
    return { hardState, snapshot, installing, entries: this.disk.entries.flatMap(copyOf) };
  }

  save(change: Change): Promise<void> {
    const entries = change.entries?.flatMap(copyOf) ?? [];
    return this.#write(labelOf(change), () => {
      if (change.hardState) this.disk.hardState = change.hardState;
      const first = entries[0];
      if (!first) return;
      const kept = first.index - this.disk.snapshot.index - 1;
      if (kept < 0 || kept > this.disk.entries.length) throw new Error(`gap before saved entry ${first.index}`);
      this.disk.entries = [...this.disk.entries.slice(0, kept), ...entries];
    });
  }

  compact(marker: SnapshotMarker): Promise<void> {
    return this.#write(`compact ${marker.index}`, () => {
      if (this.disk.termAt(marker.index) !== marker.term)
        throw new Error(`compaction at ${marker.index} is off the log`);
      this.#beginAt(marker, true);
    });
  }

  beginInstall(marker: SnapshotMarker): Promise<void> {
    return this.#write(`begin-install ${marker.index}`, () => {
      this.disk.installing = marker;
    });
  }

  finishInstall(marker: SnapshotMarker, keepFollowing: boolean): Promise<void> {
    return this.#write(`finish-install ${marker.index}`, () => {
      this.#beginAt(marker, keepFollowing);
      this.disk.installing = null;
    });
  }

  async close(): Promise<void> {}

  #beginAt(marker: SnapshotMarker, keepFollowing: boolean): void {
    const gone = marker.index - this.disk.snapshot.index;
    this.disk.entries = keepFollowing ? this.disk.entries.slice(gone) : [];
    this.disk.snapshot = marker;
  }

  #write(label: string, apply: () => void): Promise<void> {
    if (!this.isAlive) return new Promise(() => {});
    return this.disk.submit(label, apply);
  }
}

/** Through its bytes, as a disk would: nothing is shared with whoever made it. */
function copyOf(entry: Entry): Entry[] {
  return decodeRecords(Buffer.from(entry.record));
}

function labelOf({ hardState, entries }: Change): string {
  const words = [];
  if (hardState) words.push(`term=${hardState.currentTerm} vote=${hardState.votedFor ?? '-'}`);
  if (entries) words.push(`entries ${entries.map(({ index, term }) => `${index}@${term}`).join(' ')}`);
  return words.join(' ');
}
