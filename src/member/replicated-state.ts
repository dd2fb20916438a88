import { decodeCommand } from '../kv/commands.js';
import type { KvStateMachine } from '../kv/state-machine.js';
import type { Entry, LogIndex, SnapshotMarker } from '../raft/messages.js';
import type { IncomingSnapshot, OutgoingSnapshot, StateMachine } from '../raft/ports.js';
import type { AppliedWaiters } from './applied-waiters.js';
import type { PendingProposals } from './pending-proposals.js';
import type { StateStore } from './state-store.js';

/** Applied changes that may wait to be flushed before the applier waits for the disk, in bytes. */
export const MAX_UNFLUSHED_BYTES = 64 * 1024 * 1024;

/** Where consensus and the key space meet: hands entries to the one, and results to those who wait for them. */
export class ReplicatedState implements StateMachine {
  #kv: KvStateMachine;
  /** Reads that wait for a snapshot to be in place; null while none is being installed. */
  #waitingReads: ((kv: KvStateMachine) => void)[] | null = null;
  /** Flushes and installations, one at a time. */
  #lastStep: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: StateStore,
    private readonly pending: PendingProposals,
    private readonly waiters: AppliedWaiters,
  ) {
    this.#kv = store.kv;
  }

  get kv(): KvStateMachine {
    return this.#kv;
  }

  /** A snapshot takes the place of the key space: until it is there, there is nothing to read, flush or compact. */
  get isInstalling(): boolean {
    return this.#waitingReads !== null;
  }

  /** Reads the key space now, or as soon as the snapshot that is being installed is in place. */
  read(run: (kv: KvStateMachine) => void): void {
    if (this.#waitingReads) this.#waitingReads.push(run);
    else run(this.#kv);
  }

  get lastApplied(): LogIndex {
    return this.#kv.appliedIndex;
  }

  apply(entries: readonly Entry[]): void | Promise<void> {
    for (const entry of entries) this.#applyOne(entry);
    this.waiters.onApplied(this.#kv.appliedIndex);
    if (this.#kv.pendingBytes >= MAX_UNFLUSHED_BYTES) return this.flush();
  }

  #applyOne(entry: Entry): void {
    if (entry.payload.length === 0) {
      this.#kv.applyNoop(entry.index, entry.term);
      this.pending.onApplied(entry.index, null, null);
      return;
    }
    const command = decodeCommand(entry.payload);
    this.pending.onApplied(entry.index, command, this.#kv.apply(entry.index, entry.term, command));
  }

  /** Makes everything applied so far durable, in one batch with the applied index. */
  flush(): Promise<void> {
    return this.#inOrder(() => this.#kv.flush({ sync: true }));
  }

  async persist(): Promise<{ readonly index: LogIndex; readonly term: number }> {
    return this.#inOrder(async () => {
      const { appliedIndex: index, appliedTerm: term } = this.#kv;
      await this.#kv.flush({ sync: true });
      return { index, term };
    });
  }

  openSnapshot(): Promise<OutgoingSnapshot> {
    return this.#inOrder(async () => {
      await this.#kv.flush({ sync: true });
      return this.store.openSnapshot();
    });
  }

  receiveSnapshot(): Promise<IncomingSnapshot> {
    return this.store.receiveSnapshot();
  }

  installSnapshot(marker: SnapshotMarker): Promise<void> {
    return this.#inOrder(async () => {
      this.#waitingReads = [];
      this.#kv.close();
      try {
        const installed = await this.store.installSnapshot();
        if (installed.appliedIndex !== marker.index) {
          throw new Error(
            `the snapshot holds entries through ${installed.appliedIndex}, its marker says ${marker.index}`,
          );
        }
        this.#kv = installed;
      } finally {
        const waiting = this.#waitingReads;
        this.#waitingReads = null;
        for (const run of waiting) run(this.#kv); // after a failure the closed key space tells them so
      }
      this.waiters.onApplied(this.#kv.appliedIndex);
    });
  }

  #inOrder<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#lastStep.then(step);
    this.#lastStep = result.catch(() => undefined); // the caller of the step hears of its failure
    return result;
  }
}
