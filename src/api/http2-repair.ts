import { withLegalAuthority } from './hpack-authority.js';

/** What every HTTP/2 client says first (RFC 9113, 3.4). */
export const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Frames of RFC 9113, 6. */
const HEADERS = 1;
const SETTINGS = 4;
const PING = 6;
const CONTINUATION = 9;
const ACK = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
const FRAME_HEADER_BYTES = 9;
const PRIORITY_BYTES = 5;

/** The most that a frame of a header block carries: what a server takes unless it says otherwise, and ours does not. */
const MAX_FRAME_BYTES = 16_384;
/** A request with longer headers is passed on as it is; the HTTP/2 library refuses such. */
const MAX_HEADER_BLOCK_BYTES = 64 * 1024;

/** A header block that is not complete yet. */
interface OpenBlock {
  readonly flags: number;
  readonly streamId: number;
  /** The priority that HEADERS may carry; empty if it does not. */
  readonly priority: Buffer;
  readonly fragments: Buffer[];
  /** The frames as they came, and what they take. */
  readonly frames: Buffer[];
  sizeBytes: number;
}

/**
 * What a client says, with every `:authority` made legal. nghttp2, under Node's HTTP/2, refuses a request whose authority
 * is none, and has no option for it. But gRPC needs none, and clients send all sorts: etcdctl 3.4 its endpoint with the
 * scheme (`http://127.0.0.1:2379`), 3.5 `#initially=[...]`, others the path of a Unix socket. etcd does not look at it.
 *
 * At the first word that is no HTTP/2 it gives up and passes on what comes: the library knows what to answer.
 */
export class Http2Repair {
  /** Header blocks seen, and how many of them had to be repaired. */
  blocks = 0;
  repaired = 0;
  /** The client waits for an answer to a PING. */
  hasPing = false;
  hasGivenUp = false;
  /** Set by who has sent SETTINGS in the library's place: the library must not see that they were received. */
  owesSettingsAck = false;
  /** Bytes that are passed on unseen. */
  #through = HTTP2_PREFACE.length;
  /** The beginning of a frame, shorter than the largest. */
  #pending: Buffer = Buffer.alloc(0);
  #open: OpenBlock | null = null;

  /** Takes what came in, returns what can go on. */
  push(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (bytes.length > 0) {
      const taken = this.#take(bytes, out);
      if (taken === 0) break;
      bytes = bytes.subarray(taken);
    }
    this.#pending = bytes;
    return out;
  }

  /** What has been held back. Nothing may be pushed afterwards. */
  rest(): Buffer[] {
    return [...(this.#open?.frames ?? []), this.#pending];
  }

  /** How many bytes it took; 0 when there must be more first. */
  #take(bytes: Buffer, out: Buffer[]): number {
    if (this.hasGivenUp) {
      out.push(bytes);
      return bytes.length;
    }
    if (this.#through > 0) {
      const passed = bytes.subarray(0, this.#through);
      this.#through -= passed.length;
      out.push(passed);
      return passed.length;
    }
    if (bytes.length < FRAME_HEADER_BYTES) return 0;
    const sizeBytes = FRAME_HEADER_BYTES + bytes.readUIntBE(0, 3);
    const type = bytes[3] ?? 0;
    const flags = bytes[4] ?? 0;
    // The frames of a header block come without others between them.
    if ((type === CONTINUATION) !== (this.#open !== null)) return this.#giveUp(bytes, out);
    const isOwnAck = type === SETTINGS && (flags & ACK) !== 0 && this.owesSettingsAck;
    if (type !== HEADERS && type !== CONTINUATION && !isOwnAck) {
      if (type === PING) this.hasPing = true;
      this.#through = sizeBytes;
      return this.#take(bytes, out);
    }
    if (sizeBytes > FRAME_HEADER_BYTES + MAX_FRAME_BYTES) return this.#giveUp(bytes, out);
    if (bytes.length < sizeBytes) return 0;
    if (isOwnAck) {
      this.owesSettingsAck = false;
      return sizeBytes;
    }
    const frame = bytes.subarray(0, sizeBytes);
    if (this.#open && this.#open.sizeBytes + sizeBytes > MAX_HEADER_BLOCK_BYTES) return this.#giveUp(bytes, out);
    const block = this.#open ? continued(this.#open, frame) : openBlock(frame);
    if (!block) return this.#giveUp(bytes, out);
    this.#open = block;
    if ((flags & END_HEADERS) !== 0) this.#close(block, out);
    return sizeBytes;
  }

  #close({ fragments, frames, ...head }: OpenBlock, out: Buffer[]): void {
    this.#open = null;
    this.blocks++;
    const block = Buffer.concat(fragments);
    const legal = withLegalAuthority(block);
    if (legal === block) {
      out.push(...frames);
    } else {
      this.repaired++;
      out.push(...framesOf(head, legal));
    }
  }

  #giveUp(bytes: Buffer, out: Buffer[]): number {
    this.hasGivenUp = true;
    if (this.#open) out.push(...this.#open.frames);
    this.#open = null;
    return this.#take(bytes, out);
  }
}

/** Null when its padding is longer than itself. */
function openBlock(frame: Buffer): OpenBlock | null {
  const flags = frame[4] ?? 0;
  const isPadded = (flags & PADDED) !== 0;
  const prioritySizeBytes = (flags & PRIORITY) !== 0 ? PRIORITY_BYTES : 0;
  const priorityAt = FRAME_HEADER_BYTES + (isPadded ? 1 : 0);
  const fragmentAt = priorityAt + prioritySizeBytes;
  const end = frame.length - (isPadded ? (frame[FRAME_HEADER_BYTES] ?? 0) : 0);
  if (end < fragmentAt) return null;
  const fragment = frame.subarray(fragmentAt, end);
  return {
    flags: flags & ~(PADDED | END_HEADERS),
    streamId: frame.readUInt32BE(5),
    priority: frame.subarray(priorityAt, fragmentAt),
    fragments: [fragment],
    frames: [frame],
    sizeBytes: frame.length,
  };
}

function continued(block: OpenBlock, frame: Buffer): OpenBlock {
  block.fragments.push(frame.subarray(FRAME_HEADER_BYTES));
  block.frames.push(frame);
  block.sizeBytes += frame.length;
  return block;
}

/** The HEADERS frame of a block, and as many CONTINUATION frames as it takes. */
function framesOf(
  { flags, streamId, priority }: Pick<OpenBlock, 'flags' | 'streamId' | 'priority'>,
  block: Buffer,
): Buffer[] {
  const firstBytes = MAX_FRAME_BYTES - priority.length;
  const frames: Buffer[] = [];
  for (let at = 0, isFirst = true; isFirst || at < block.length; isFirst = false) {
    const fragment = block.subarray(at, at + (isFirst ? firstBytes : MAX_FRAME_BYTES));
    at += fragment.length;
    const frameFlags = (isFirst ? flags : 0) | (at === block.length ? END_HEADERS : 0);
    const payload = isFirst ? Buffer.concat([priority, fragment]) : fragment;
    frames.push(frameHeader(payload.length, isFirst ? HEADERS : CONTINUATION, frameFlags, streamId), payload);
  }
  return frames;
}

function frameHeader(sizeBytes: number, type: number, flags: number, streamId: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(sizeBytes, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return header;
}
