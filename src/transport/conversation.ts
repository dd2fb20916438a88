import type { Client, ClientDuplexStream, Metadata, StatusObject } from '@grpc/grpc-js';
import { MalformedMessageError } from './errors.js';
import { MAX_IN_FLIGHT_BYTES } from './limits.js';
import { CONVERSE_PATH, rpcCodecs, type Rpcs } from './rpcs.js';
import { encodeCall, openEnvelope, type StreamedRpc } from './stream-codec.js';

/** Hears what becomes of calls; for the log only. */
export interface ConversationObserver {
  /** The peer has said something. */
  heard(): void;
  /** A call got no answer. */
  lost(reason: string): void;
  /** The stream has ended. Called once. */
  ended(reason: string): void;
}

interface OpenCall {
  readonly name: StreamedRpc;
  readonly sizeBytes: number;
  readonly timer: NodeJS.Timeout;
  settle(content: Buffer | null): void;
}

const identity = (bytes: Buffer): Buffer => bytes;

/**
 * One life of the stream to a peer. Calls are numbered and answered in any order. When the stream breaks, all that are
 * open come to nothing and a new conversation must be begun.
 */
export class Conversation {
  /** Once true, never false again. */
  isOver = false;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #open = new Map<number, OpenCall>();
  #lastNumber = 0;
  #inFlightBytes = 0;
  /** Given to the stream and not yet taken by the connection; outlives the calls when a peer does not read. */
  #unsentBytes = 0;

  constructor(
    client: Client,
    metadata: Metadata,
    private readonly observer: ConversationObserver,
  ) {
    this.#stream = client.makeBidiStreamRequest(CONVERSE_PATH, identity, identity, metadata);
    this.#stream.on('data', (bytes: Buffer) => this.#onAnswer(bytes));
    // The status event tells the same; without a listener an error event would be thrown.
    this.#stream.on('error', () => undefined);
    this.#stream.on('status', (end: StatusObject) => this.#finish(end.details));
  }

  /** Resolves to the reply; to null when there is none within `timeoutMs`, or too much is on its way already. */
  call<N extends StreamedRpc>(name: N, args: Rpcs[N]['args'], timeoutMs: number): Promise<Rpcs[N]['reply'] | null> {
    const number = ++this.#lastNumber;
    const bytes = encodeCall(number, name, args);
    if (this.isOver || this.#overBound(bytes.length)) return Promise.resolve(null);
    return new Promise((resolve) => {
      const settle = (content: Buffer | null) => resolve(content && this.#decodeReply(name, content));
      const timer = setTimeout(() => {
        this.#settle(number, null);
        this.observer.lost('no answer in time');
      }, timeoutMs);
      this.#open.set(number, { name, sizeBytes: bytes.length, timer, settle });
      this.#inFlightBytes += bytes.length;
      this.#unsentBytes += bytes.length;
      this.#stream.write(bytes, () => (this.#unsentBytes -= bytes.length));
    });
  }

  close(): void {
    this.#finish('closed by this member');
    this.#stream.cancel();
  }

  #overBound(moreBytes: number): boolean {
    const most = Math.max(this.#inFlightBytes, this.#unsentBytes) + moreBytes;
    if (most <= MAX_IN_FLIGHT_BYTES) return false;
    this.observer.lost('too much is on its way to the peer');
    return true;
  }

  #onAnswer(bytes: Buffer): void {
    try {
      const answer = openEnvelope(bytes);
      this.observer.heard();
      const call = this.#open.get(answer.number);
      if (!call) return; // came too late: the caller has given up
      if ('failure' in answer) {
        this.#settle(answer.number, null);
      } else if (answer.name !== call.name) {
        throw new MalformedMessageError(`answer to ${call.name} holds the reply of ${answer.name}`);
      } else {
        this.#settle(answer.number, answer.content);
      }
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessageError)) throw thrown;
      this.observer.lost(thrown.message);
      this.close();
    }
  }

  #decodeReply<N extends StreamedRpc>(name: N, content: Buffer): Rpcs[N]['reply'] | null {
    try {
      return rpcCodecs[name].reply.decode(content);
    } catch (thrown) {
      if (!(thrown instanceof MalformedMessageError)) throw thrown;
      this.observer.lost(thrown.message);
      return null;
    }
  }

  #settle(number: number, content: Buffer | null): void {
    const call = this.#open.get(number);
    if (!call) return;
    this.#open.delete(number);
    this.#inFlightBytes -= call.sizeBytes;
    clearTimeout(call.timer);
    call.settle(content);
  }

  #finish(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const number of [...this.#open.keys()]) this.#settle(number, null);
    this.observer.ended(reason);
  }
}
