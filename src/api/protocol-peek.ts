import { getPackedSettings, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HTTP2_PREFACE, Http2Repair } from './http2-repair.js';
import { RepairedConnection } from './repaired-connection.js';

/** No HTTP/1.1 method begins so: what is not the preface from here on is bad HTTP/2. */
const HTTP2_FIRST_WORD = HTTP2_PREFACE.subarray(0, 'PRI '.length);

/** A connection that does not say its protocol in this time is dropped; one without a request is no longer waited for. */
const SILENCE_MS = 30_000;
/** What a client may say before and with its first request while we wait for that to be complete. */
const MAX_HELD_BYTES = 256 * 1024;

const SETTINGS_FRAME_TYPE = 4;

export interface Protocols {
  http2(connection: Duplex): void;
  http1(socket: Socket): void;
}

interface Listener {
  readonly onBytes: (more: Buffer) => void;
  readonly onSilence: () => void;
}

/** Reads the first bytes of connections, puts them back, and gives each to the protocol that they belong to. */
export class ProtocolPeek {
  readonly #protocols: Protocols;
  readonly #greeting: Buffer;
  readonly #waiting = new Set<Socket>();

  /** The HTTP/2 settings are those that the HTTP/2 server is going to send. */
  constructor(protocols: Protocols, settings: Settings) {
    this.#protocols = protocols;
    const packed = getPackedSettings(settings);
    const header = Buffer.alloc(9);
    header.writeUIntBE(packed.length, 0, 3);
    header[3] = SETTINGS_FRAME_TYPE;
    this.#greeting = Buffer.concat([header, packed]);
  }

  accept(socket: Socket): void {
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
    let first: Buffer = Buffer.alloc(0);
    const release = this.#hold(socket, {
      onBytes: (more) => {
        first = first.length === 0 ? more : Buffer.concat([first, more]);
        const protocol = protocolOf(first);
        if (!protocol) return;
        release();
        if (protocol === 'HTTP/2') {
          this.#awaitRequest(socket, first);
          return;
        }
        this.#waiting.delete(socket);
        socket.unshift(first);
        if (protocol === 'bad HTTP/2') this.#protocols.http2(socket);
        else this.#protocols.http1(socket);
      },
      onSilence: () => socket.destroy(),
    });
  }

  /** Drops the connections that have not asked anything yet. */
  dropWaiting(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  /**
   * An HTTP/2 connection goes on as it is if its first request's headers are in order, which they are but for a few
   * clients: the HTTP/2 server then reads from the socket itself, in native code. Otherwise, or when that cannot be said
   * in good time, what the client says passes through the repair for good.
   */
  #awaitRequest(socket: Socket, first: Buffer): void {
    const repair = new Http2Repair();
    const held: Buffer[] = [];
    let heldBytes = 0;
    let isGreeted = false;
    const handOnRepaired = () => {
      release();
      this.#waiting.delete(socket);
      this.#protocols.http2(new RepairedConnection(socket, repair, held));
    };
    const onBytes = (more: Buffer) => {
      held.push(...repair.push(more));
      heldBytes += more.length;
      const hasAsked = repair.blocks > 0 || repair.hasGivenUp;
      if (repair.repaired > 0 || repair.hasPing || heldBytes > MAX_HELD_BYTES) {
        handOnRepaired();
      } else if (!hasAsked && !isGreeted) {
        // gRPC clients say nothing more before they have seen the server's SETTINGS. The HTTP/2 server sends its own later.
        isGreeted = true;
        repair.owesSettingsAck = true;
        socket.write(this.#greeting);
      } else if (hasAsked && !repair.owesSettingsAck) {
        release();
        this.#waiting.delete(socket);
        socket.unshift(Buffer.concat([...held, ...repair.rest()]));
        this.#protocols.http2(socket);
      }
    };
    const release = this.#hold(socket, { onBytes, onSilence: handOnRepaired });
    onBytes(first);
  }

  /** Reads until it is told to let go. */
  #hold(socket: Socket, { onBytes, onSilence }: Listener): () => void {
    const onReadable = () => {
      const more = socket.read() as Buffer | null;
      if (more) onBytes(more);
    };
    const onError = () => socket.destroy();
    socket.setTimeout(SILENCE_MS);
    socket.on('timeout', onSilence);
    socket.on('error', onError);
    socket.on('readable', onReadable);
    return () => {
      socket.off('readable', onReadable);
      socket.off('error', onError);
      socket.off('timeout', onSilence);
      socket.setTimeout(0);
    };
  }
}

/** Null when the bytes could still become either. */
function protocolOf(first: Buffer): 'HTTP/1.1' | 'HTTP/2' | 'bad HTTP/2' | null {
  const compared = Math.min(first.length, HTTP2_PREFACE.length);
  if (first.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared))) {
    return compared === HTTP2_PREFACE.length ? 'HTTP/2' : null;
  }
  const word = HTTP2_FIRST_WORD.length;
  return first.subarray(0, word).equals(HTTP2_FIRST_WORD) ? 'bad HTTP/2' : 'HTTP/1.1';
}
