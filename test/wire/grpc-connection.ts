import { connect, type Socket } from 'node:net';
import { HpackDecoder, HpackEncoder } from './hpack.js';

/** How a call ended. */
export interface Reply {
  /** gRPC status code; CONNECTION_LOST or STREAM_RESET when the server never gave one. */
  readonly status: number;
  readonly message: string;
  /** The DATA of the reply, message prefixes included. */
  readonly body: Buffer;
}

export const CONNECTION_LOST = -1;
export const STREAM_RESET = -2;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const FRAME_HEADER_BYTES = 9;
const Frame = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 };
const Setting = { ENABLE_PUSH: 2, INITIAL_WINDOW_SIZE: 4, MAX_FRAME_SIZE: 5 };

const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
/** How much may come in on a connection before the server is given new room. */
const REFILL_BYTES = 2 ** 29;
/** Output is gathered in blocks of this size, and each turn of the event loop writes what there is. */
const OUTPUT_BLOCK_BYTES = 65_536;
/** A frame must fit into a block, whatever the server allows. */
const MAX_FRAME_BYTES = 32_768;
const NOTHING: Buffer = Buffer.alloc(0);

interface Call {
  readonly done: (reply: Reply) => void;
  headers: ReadonlyMap<string, string> | null;
  body: Buffer;
  sendWindow: number;
  /** What the server's windows have not let through yet. */
  unsent: Buffer;
}

/** `message` with the five bytes gRPC puts before each message. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(message.length + 5);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** The messages in the body of a reply. */
export function messagesOf(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

/**
 * One HTTP/2 connection that makes gRPC calls: plain text, requests of one message, replies as a whole. Made for load
 * generators and comparisons: bytes in, bytes out, no object per frame, one socket write per turn of the event loop.
 */
export class GrpcConnection {
  readonly #socket: Socket;
  readonly #encoder: HpackEncoder;
  readonly #decoder = new HpackDecoder();
  readonly #calls = new Map<number, Call>();
  #nextStreamId = 1;
  #failure: string | null = null;

  #output = Buffer.allocUnsafe(OUTPUT_BLOCK_BYTES);
  #outputStart = 0;
  #outputEnd = 0;
  #flushScheduled = false;
  #blocked: number[] = [];
  #sendWindow = DEFAULT_WINDOW;
  #peerInitialWindow = DEFAULT_WINDOW;
  #maxFrameBytes = 16_384;

  #input = NOTHING;
  #received = 0;
  #headerBlock = NOTHING;
  #headerFlags = 0;

  private constructor(socket: Socket, authority: string) {
    this.#socket = socket;
    this.#encoder = new HpackEncoder(authority);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', () => this.#fail('connection closed'));
    this.#write(PREFACE);
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(Setting.ENABLE_PUSH, 0);
    settings.writeUInt16BE(Setting.INITIAL_WINDOW_SIZE, 6);
    settings.writeUInt32BE(MAX_WINDOW, 8);
    this.#frame(Frame.SETTINGS, 0, 0, settings);
    this.#windowUpdate(MAX_WINDOW - DEFAULT_WINDOW);
  }

  /** Resolves once the socket is connected; rejects if it cannot be. */
  static open(host: string, port: number): Promise<GrpcConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new GrpcConnection(socket, `${host}:${port}`));
      });
    });
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** Starts a call with `body`, one framed message. `done` is called exactly once, never from within this call. */
  start(
    path: string,
    body: Buffer,
    done: (reply: Reply) => void,
    metadata?: readonly (readonly [string, string])[],
  ): void {
    if (this.#failure !== null) {
      const reply = { status: CONNECTION_LOST, message: this.#failure, body: NOTHING };
      process.nextTick(() => done(reply));
      return;
    }
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const call: Call = { done, headers: null, body: NOTHING, sendWindow: this.#peerInitialWindow, unsent: body };
    this.#calls.set(id, call);
    this.#frame(Frame.HEADERS, Flag.END_HEADERS, id, this.#encoder.callHeaders(path, metadata));
    this.#sendBody(id, call);
  }

  /** Makes a call and waits for its end; `timeoutMs` after which it counts as lost. */
  call(
    path: string,
    message: Uint8Array,
    timeoutMs = 15_000,
    metadata?: readonly (readonly [string, string])[],
  ): Promise<Reply> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve({ status: CONNECTION_LOST, message: `no reply within ${timeoutMs} ms`, body: NOTHING });
      }, timeoutMs);
      this.start(
        path,
        framed(message),
        (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        metadata,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#fail('connection closed by this side');
  }

  #fail(message: string): void {
    if (this.#failure !== null) return;
    this.#failure = message;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.done({ status: CONNECTION_LOST, message, body: NOTHING });
  }

  // Sending

  #sendBody(id: number, call: Call): void {
    for (;;) {
      const room = Math.min(this.#sendWindow, call.sendWindow, this.#maxFrameBytes);
      if (room <= 0) {
        this.#blocked.push(id);
        return;
      }
      const part = call.unsent.length <= room ? call.unsent : call.unsent.subarray(0, room);
      this.#sendWindow -= part.length;
      call.sendWindow -= part.length;
      const last = part.length === call.unsent.length;
      this.#frame(Frame.DATA, last ? Flag.END_STREAM : 0, id, part);
      call.unsent = last ? NOTHING : call.unsent.subarray(room);
      if (last) return;
    }
  }

  #sendBlocked(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const id of blocked) {
      const call = this.#calls.get(id);
      if (call !== undefined) this.#sendBody(id, call);
    }
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#outputEnd + FRAME_HEADER_BYTES > OUTPUT_BLOCK_BYTES) this.#newBlock();
    const at = this.#outputEnd;
    const output = this.#output;
    output[at] = payload.length >>> 16;
    output[at + 1] = payload.length >>> 8;
    output[at + 2] = payload.length;
    output[at + 3] = type;
    output[at + 4] = flags;
    output[at + 5] = streamId >>> 24;
    output[at + 6] = streamId >>> 16;
    output[at + 7] = streamId >>> 8;
    output[at + 8] = streamId;
    this.#outputEnd += FRAME_HEADER_BYTES;
    this.#write(payload);
  }

  #write(bytes: Buffer): void {
    if (this.#outputEnd + bytes.length > OUTPUT_BLOCK_BYTES) this.#newBlock();
    this.#output.set(bytes, this.#outputEnd);
    this.#outputEnd += bytes.length;
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#outputStart === this.#outputEnd) return;
    this.#socket.write(this.#output.subarray(this.#outputStart, this.#outputEnd));
    this.#outputStart = this.#outputEnd;
  }

  /** The socket keeps what it was given until it is sent, so a block is filled once and never again. */
  #newBlock(): void {
    this.#flush();
    this.#output = Buffer.allocUnsafe(OUTPUT_BLOCK_BYTES);
    this.#outputStart = 0;
    this.#outputEnd = 0;
  }

  #windowUpdate(bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.#frame(Frame.WINDOW_UPDATE, 0, 0, payload);
  }

  // Receiving

  #onData(chunk: Buffer): void {
    const input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    let at = 0;
    while (at + FRAME_HEADER_BYTES <= input.length) {
      const length = input.readUIntBE(at, 3);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > input.length) break;
      const streamId = input.readUInt32BE(at + 5) & 0x7fffffff;
      this.#onFrame(input[at + 3] ?? 0, input[at + 4] ?? 0, streamId, input.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    this.#input = at === input.length ? NOTHING : input.subarray(at);
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case Frame.DATA:
        this.#onDataFrame(flags, streamId, payload);
        break;
      case Frame.HEADERS:
        this.#headerBlock = withoutPadding(flags, payload).subarray((flags & Flag.PRIORITY) !== 0 ? 5 : 0);
        this.#headerFlags = flags;
        if ((flags & Flag.END_HEADERS) !== 0) this.#onHeaders(streamId);
        break;
      case Frame.CONTINUATION:
        this.#headerBlock = Buffer.concat([this.#headerBlock, payload]);
        if ((flags & Flag.END_HEADERS) !== 0) this.#onHeaders(streamId);
        break;
      case Frame.RST_STREAM:
        this.#finish(streamId, STREAM_RESET, `stream reset with error ${payload.readUInt32BE(0)}`);
        break;
      case Frame.SETTINGS:
        if ((flags & Flag.ACK) === 0) this.#onSettings(payload);
        break;
      case Frame.PING:
        if ((flags & Flag.ACK) === 0) this.#frame(Frame.PING, Flag.ACK, 0, payload);
        break;
      case Frame.WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, payload.readUInt32BE(0) & 0x7fffffff);
        break;
      case Frame.GOAWAY:
        this.#socket.destroy();
        this.#fail(`server said goaway with error ${payload.readUInt32BE(4)}`);
        break;
      default: // PRIORITY and extensions mean nothing here
    }
  }

  #onDataFrame(flags: number, streamId: number, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received >= REFILL_BYTES) {
      this.#windowUpdate(this.#received);
      this.#received = 0;
    }
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    const data = withoutPadding(flags, payload);
    call.body = call.body.length === 0 ? data : Buffer.concat([call.body, data]);
    if ((flags & Flag.END_STREAM) !== 0) this.#finish(streamId, STREAM_RESET, 'reply ended without trailers');
  }

  #onHeaders(streamId: number): void {
    const headers = this.#decoder.decode(this.#headerBlock);
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    if ((this.#headerFlags & Flag.END_STREAM) === 0) {
      call.headers = headers;
      return;
    }
    const status = headers.get('grpc-status');
    if (status !== undefined) this.#finish(streamId, Number(status), percentDecoded(headers.get('grpc-message') ?? ''));
    else
      this.#finish(streamId, STREAM_RESET, `reply without grpc-status, HTTP status ${headers.get(':status') ?? '?'}`);
  }

  #finish(streamId: number, status: number, message: string): void {
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    this.#calls.delete(streamId);
    call.done({ status, message, body: call.body });
  }

  #onSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      const setting = payload.readUInt16BE(at);
      if (setting === Setting.MAX_FRAME_SIZE) this.#maxFrameBytes = Math.min(value, MAX_FRAME_BYTES);
      if (setting !== Setting.INITIAL_WINDOW_SIZE) continue;
      for (const call of this.#calls.values()) call.sendWindow += value - this.#peerInitialWindow;
      this.#peerInitialWindow = value;
    }
    this.#frame(Frame.SETTINGS, Flag.ACK, 0, NOTHING);
    this.#sendBlocked();
  }

  #onWindowUpdate(streamId: number, bytes: number): void {
    if (streamId === 0) this.#sendWindow += bytes;
    else {
      const call = this.#calls.get(streamId);
      if (call !== undefined) call.sendWindow += bytes;
    }
    if (this.#blocked.length > 0) this.#sendBlocked();
  }
}

function withoutPadding(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.PADDED) === 0) return payload;
  return payload.subarray(1, payload.length - (payload[0] ?? 0));
}

/** grpc-message is UTF-8 with the bytes that HTTP does not carry as %XX. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
