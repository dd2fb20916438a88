import type { KvStateMachine } from '../kv/state-machine.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../raft/ports.js';

/** The state machine together with the store beneath it, which a snapshot replaces as a whole. */
export interface StateStore {
  readonly kv: KvStateMachine;
  /** A copy of what is flushed. It says itself through which entry that is. */
  openSnapshot(): Promise<OutgoingSnapshot>;
  receiveSnapshot(): Promise<IncomingSnapshot>;
  /** Swaps the store for the one received and opens the state machine on it. */
  installSnapshot(): Promise<KvStateMachine>;
  sizeBytes(): Promise<number>;
}
