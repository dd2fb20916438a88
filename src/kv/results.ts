import type { KvError } from './errors.js';

/**
 * What a command or a read came to. A response message without its header: etcd's responses have the header as field 1,
 * so the api puts `header` in front of `body` and has the whole message, without decoding anything.
 */
export interface KvResult {
  /** The store's revision after the command, for the header. */
  readonly revision: number;
  /** The encoded response, all fields but the header. */
  readonly body: Uint8Array;
}

/** What applying one command gives: a result, or the reason why nothing changed. */
export type ApplyOutcome = KvResult | KvError;
