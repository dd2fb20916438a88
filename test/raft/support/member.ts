import { silentLogger } from '../../../src/lib/logger.js';
import type { Configuration, Entry, LogIndex, MemberId } from '../../../src/raft/messages.js';
import { RaftNode } from '../../../src/raft/node.js';
import type { RaftOptions } from '../../../src/raft/options.js';
import type { PeerHandler, Random, Transport } from '../../../src/raft/ports.js';
import type { Raft } from '../../../src/raft/raft.js';
import type { Witness } from './invariants.js';
import { MemoryDisk, MemoryStore } from './memory-store.js';
import type { Station } from './network.js';
import { ToyMachine, ToyVolume } from './toy-machine.js';
import { VirtualClock } from './virtual-clock.js';

/** One member through all its lives. What survives a crash is `disk` and `volume`. */
export class Member implements Station, Witness {
  readonly clock = new VirtualClock();
  readonly disk: MemoryDisk;
  readonly volume = new ToyVolume();
  boot = 0;
  node: RaftNode | null = null;
  machine: ToyMachine | null = null;
  /** Why it stopped by itself, until the script was told. */
  unreportedFailure: string | null = null;
  /** What the next elections add to the shortest timeout, in ms. After these, `drawAnother` says. */
  readonly draws: number[] = [];
  drawAnother = (bound: number): number => Math.floor(bound / 2) + 20 * Number(this.id);
  onApply: (entry: Entry) => void = () => {};
  #store: MemoryStore | null = null;
  #drawn = 0;

  constructor(
    readonly id: MemberId,
    readonly name: string,
    readonly options: RaftOptions,
    private readonly configuration: Configuration,
  ) {
    this.disk = new MemoryDisk({ index: 0, term: 0, configuration });
  }

  get raft(): Raft | null {
    return this.node?.raft ?? null;
  }

  /** @throws Error while it is down. */
  get up(): RaftNode {
    if (!this.node) throw new Error(`${this.name} is down`);
    return this.node;
  }

  get handler(): PeerHandler | null {
    return this.node && !this.node.raft.stopped ? this.node.peerHandler : null;
  }

  get applied(): readonly string[] {
    return this.machine?.state.commands ?? [];
  }

  now(): number {
    return this.clock.now();
  }

  /** Begins a life with what is on disk. */
  async start(transportFor: (station: Station) => Transport): Promise<void> {
    if (this.node) throw new Error(`${this.name} runs already`);
    this.boot++;
    const store = (this.#store = new MemoryStore(this.disk));
    const machine = (this.machine = new ToyMachine(this.volume, this.configuration));
    machine.onApply = (entry) => this.onApply(entry);
    await finishInterruptedInstall(this.disk, store, machine.lastApplied);
    this.node = new RaftNode(this.id, await store.load(), this.options, {
      clock: this.clock,
      random: this.#random(),
      store,
      transport: transportFor(this),
      stateMachine: machine,
      logger: silentLogger,
      onFailure: (error) => (this.unreportedFailure = error.message),
    });
    this.node.start();
  }

  /** Power is cut. Of the writes under way the first `written` are on disk all the same. */
  crash(written: number): void {
    if (!this.node) throw new Error(`${this.name} is down already`);
    this.disk.crash(written);
    this.volume.crash();
    this.clock.forgetSleepers();
    this.boot++;
    if (this.#store) this.#store.isAlive = false;
    if (this.machine) this.machine.isAlive = false;
    this.node = null;
  }

  /** Election timeouts are about the middle of their span, n1's first, unless the script draws; all other numbers count up. */
  #random(): Random {
    return {
      below: (bound) => {
        if (bound !== this.options.electionTimeoutMs) return (Number(this.id) * 1000 + ++this.#drawn) % bound;
        return this.draws.shift() ?? this.drawAnother(bound);
      },
    };
  }
}

/** A crash may have fallen between the swap of the state machine and the cut of the log. */
async function finishInterruptedInstall(disk: MemoryDisk, store: MemoryStore, lastApplied: LogIndex): Promise<void> {
  const { installing } = disk;
  if (!installing) return;
  if (lastApplied >= installing.index) {
    await store.finishInstall(installing, disk.termAt(installing.index) === installing.term);
  } else {
    disk.installing = null; // the state machine is the old one: nothing has happened
  }
}
