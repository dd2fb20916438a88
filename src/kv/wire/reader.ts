import type { Key } from '../key.js';
import { KvError } from '../errors.js';

/** The wire types of protobuf. 3 and 4 enclose groups, which nobody sends but which must be skipped. */
export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
export const FIXED32 = 5;

const MAX_VARINT_BITS = 70;

export function malformed(problem: string): KvError {
  return new KvError('KV_MALFORMED_REQUEST', `grpc: error unmarshalling request: ${problem}`);
}

/** What a tag says: `field * 8 + wireType`, for comparing with the `case`s of a decoder. */
export function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

/**
 * Walks over one encoded message. Strict about structure, tolerant about content: fields may come in any order and
 * repeatedly, unknown ones are skipped. Everything that is wrong is a KvError with the words that etcd uses.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;
  /** Where the innermost message that was entered ends. */
  #end: number;
  /** The 64 bits of the last varint. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  atEnd(): boolean {
    return this.#position >= this.#end;
  }

  /** Enters an embedded message. Give what it returns to leave(). */
  enter(): number {
    const length = this.#length();
    const outerEnd = this.#end;
    this.#end = this.#position + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  tag(message: string): number {
    if (this.#position < this.#end) {
      const byte = this.#bytes[this.#position] as number;
      // Fields 1 to 15 take one byte.
      if (byte < 0x80 && byte >= 8 && (byte & 7) !== END_GROUP) {
        this.#position++;
        return byte;
      }
    }
    this.#varint();
    const wireType = this.#low & 7;
    const field = (this.#low >>> 3) | (this.#high << 29);
    if (wireType === END_GROUP) throw malformed(`proto: ${message}: wiretype end group for non-group`);
    if (field <= 0) throw malformed(`proto: ${message}: illegal tag ${field} (wire type ${wireType})`);
    return tagOf(field, wireType);
  }

  /** An int64, brought to the nearest safe integer. */
  int53(): number {
    if (this.#position < this.#end) {
      const byte = this.#bytes[this.#position] as number;
      if (byte < 0x80) {
        this.#position++;
        return byte;
      }
    }
    this.#varint();
    const value = this.#high * 2 ** 32 + (this.#low >>> 0);
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value;
  }

  int64(): bigint {
    this.#varint();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
  }

  uint64(): bigint {
    return BigInt.asUintN(64, this.int64());
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** Only the low 32 bits count, as everywhere. */
  enumeration(): number {
    this.#varint();
    return this.#low;
  }

  /** A view into the message. */
  bytes(): Buffer {
    const length = this.#length();
    const start = this.#position;
    this.#position = start + length;
    return this.#bytes.subarray(start, this.#position);
  }

  key(): Key {
    const length = this.#length();
    const start = this.#position;
    this.#position = start + length;
    return this.#bytes.toString('latin1', start, this.#position);
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  /**
   * Steps over a field that the decoder does not know.
   *
   * @param known the names of the message's fields by number: one of these with another wire type is an error
   */
  skip(tag: number, known: readonly (string | undefined)[]): void {
    const name = known[Math.floor(tag / 8)];
    if (name !== undefined) throw malformed(`proto: wrong wireType = ${tag % 8} for field ${name}`);
    let depth = 0;
    let wireType = tag % 8;
    for (;;) {
      if (wireType === START_GROUP) depth++;
      else if (wireType === END_GROUP) depth--;
      else this.#skipValue(wireType);
      if (depth === 0) return;
      this.#varint();
      wireType = this.#low & 7;
    }
  }

  #skipValue(wireType: number): void {
    if (wireType === VARINT) this.#varint();
    else if (wireType === DELIMITED) this.#advance(this.#length());
    else if (wireType === FIXED64) this.#advance(8);
    else if (wireType === FIXED32) this.#advance(4);
    else throw malformed(`proto: illegal wireType ${wireType}`);
  }

  #advance(length: number): void {
    if (this.#position + length > this.#end) throw malformed('unexpected EOF');
    this.#position += length;
  }

  #length(): number {
    const length = this.int53();
    if (length < 0) throw malformed('proto: negative length found during unmarshaling');
    if (this.#position + length > this.#end) throw malformed('unexpected EOF');
    return length;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < MAX_VARINT_BITS; shift += 7) {
      if (this.#position >= this.#end) throw malformed('unexpected EOF');
      const byte = this.#bytes[this.#position++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw malformed('proto: integer overflow');
  }
}
