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
      this.#kv.close();
      this.#kv = await this.store.installSnapshot();
      if (this.#kv.appliedIndex !== marker.index) {
        throw new Error(`the snapshot holds entries through ${this.#kv.appliedIndex}, its marker says ${marker.index}`);
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
