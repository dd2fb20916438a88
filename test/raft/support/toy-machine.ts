import { crc32 } from '../../../src/lib/crc32.js';
import { InvariantError } from '../../../src/raft/errors.js';
import type { Configuration, Entry, LogIndex, SnapshotMarker, Term } from '../../../src/raft/messages.js';
import type { IncomingSnapshot, OutgoingSnapshot, StateMachine } from '../../../src/raft/ports.js';

/** All that the toy knows: which commands it was told, in order. */
export interface ToyState {
  readonly index: LogIndex;
  readonly term: Term;
  readonly commands: readonly string[];
}

/** What of a state machine survives a crash, and what the script may do to it. */
export class ToyVolume {
  durable: ToyState = { index: 0, term: 0, commands: [] };
  /** `apply` and `installSnapshot` wait while it is held. */
  readonly applying = new Gate();
  /** Chunks of a snapshot are not written while it is held. */
  readonly receiving = new Gate();
  /** Snapshots cannot be read any more. */
  isUnreadable = false;
  chunkBytes = 1024;

  crash(): void {
    this.applying.forget();
    this.receiving.forget();
  }
}

/** Holds those who pass until the script lets go. */
class Gate {
  isHeld = false;
  #waiting: (() => void)[] = [];

  /** Resolves at once, or when the script lets go. */
  async pass(): Promise<void> {
    while (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    this.isHeld = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Who waits dies, and never wakes. */
  forget(): void {
    this.isHeld = false;
    this.#waiting = [];
  }
}

/** A state machine that keeps a list of commands in memory and makes it durable when asked. */
export class ToyMachine implements StateMachine {
  isAlive = true;
  state: ToyState;
  /** Told of every entry that takes effect, in order. */
  onApply: (entry: Entry) => void = () => {};

  constructor(
    private readonly volume: ToyVolume,
    private readonly configuration: Configuration,
  ) {
    this.state = volume.durable;
  }

  get lastApplied(): LogIndex {
    return this.state.index;
  }

  apply(entries: readonly Entry[]): void | Promise<void> {
    if (this.volume.applying.isHeld) return this.volume.applying.pass().then(() => this.#apply(entries));
    this.#apply(entries);
  }

  async persist(): Promise<{ index: LogIndex; term: Term }> {
    if (this.isAlive) this.volume.durable = this.state;
    return this.state;
  }

  async openSnapshot(): Promise<OutgoingSnapshot> {
    if (this.volume.isUnreadable) throw new Error('snapshot can not be read');
    const { index, term } = this.state;
    const bytes = serialise(this.state);
    const { chunkBytes } = this.volume;
    let offset = 0;
    return {
      marker: { index, term, configuration: this.configuration },
      nextChunk: async () => {
        if (offset >= bytes.length) return null;
        const chunk = bytes.subarray(offset, offset + chunkBytes);
        offset += chunk.length;
        return chunk;
      },
      close: async () => {},
    };
  }

  async receiveSnapshot(): Promise<ToyIncoming> {
    return new ToyIncoming(this.volume.receiving);
  }

  async installSnapshot(marker: SnapshotMarker, incoming: ToyIncoming): Promise<void> {
    await this.volume.applying.pass();
    const state = incoming.read();
    if (state.index !== marker.index)
      throw new InvariantError(`snapshot of ${state.index} under marker ${marker.index}`);
    if (!this.isAlive) return;
    this.state = this.volume.durable = state;
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!this.isAlive) return;
      if (entry.index !== this.state.index + 1) {
        throw new InvariantError(`entry ${entry.index} was applied after entry ${this.state.index}`);
      }
      const commands = [...this.state.commands];
      if (entry.payload.length > 0) commands.push(entry.payload.toString());
      this.state = { index: entry.index, term: entry.term, commands };
      this.onApply(entry);
    }
  }
}

export class ToyIncoming implements IncomingSnapshot {
  #bytes: Buffer | null = Buffer.alloc(0);

  constructor(private readonly gate: Gate) {}

  async write(data: Buffer): Promise<void> {
    await this.gate.pass();
    this.#bytes = Buffer.concat([this.#received(), data]);
  }

  async finish(): Promise<void> {
    const bytes = this.#received();
    if (bytes.length < 4 || crc32(bytes.subarray(4)) !== bytes.readUInt32BE(0)) throw new Error('snapshot is damaged');
  }

  async abandon(): Promise<void> {
    this.#bytes = null;
  }

  read(): ToyState {
    return JSON.parse(this.#received().subarray(4).toString()) as ToyState;
  }

  #received(): Buffer {
    if (!this.#bytes) throw new InvariantError('a snapshot was used after it had been abandoned');
    return this.#bytes;
  }
}

/** Four bytes of checksum, then JSON. */
function serialise(state: ToyState): Buffer {
  const body = Buffer.from(JSON.stringify(state));
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([checksum, body]);
}
