import { MalformedMessageError } from './errors.js';

/*
 * The part of the protobuf encoding that raft.proto uses: a field is a tag (field number and wire type) and then eight
 * little-endian bytes, one small varint, or a length and that many bytes. Field numbers stay below 16, so a tag is one byte.
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

/** Bytes of a field that holds a term, an index or an id. */
export const FIXED64_FIELD_BYTES = 9;
/** Bytes of a field that holds a claim or an enum. */
export const SMALL_FIELD_BYTES = 2;

const TWO_TO_32 = 0x1_0000_0000;
/** A number from 2^53 on has a high half from 2^21 on. */
const HIGH_HALF_LIMIT = 0x20_0000;

/** Bytes of a length-delimited field with `length` bytes of content. */
export function delimitedFieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes the fields of one message into a buffer of exactly the right size. */
export class FieldWriter {
  readonly bytes: Buffer;
  #position = 0;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.allocUnsafe(sizeBytes);
  }

  /** A term, an index or a counter: a whole number below 2^53. */
  number(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#fixed64(value);
  }

  id(field: number, value: bigint): void {
    this.#tag(field, FIXED64);
    this.#position = this.bytes.writeBigUInt64LE(value, this.#position);
  }

  claim(field: number, value: boolean): void {
    this.small(field, value ? 1 : 0);
  }

  /** An enum's number, below 128. */
  small(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.bytes[this.#position++] = value;
  }

  content(field: number, content: Uint8Array): void {
    this.begin(field, content.length);
    this.raw(content);
  }

  numbers(field: number, values: readonly number[]): void {
    this.begin(field, 8 * values.length);
    for (const value of values) this.#fixed64(value);
  }

  ids(field: number, values: readonly bigint[]): void {
    this.begin(field, 8 * values.length);
    for (const value of values) this.#position = this.bytes.writeBigUInt64LE(value, this.#position);
  }

  /** Begins a length-delimited field; exactly `length` bytes must follow. */
  begin(field: number, length: number): void {
    this.#tag(field, LENGTH_DELIMITED);
    let rest = length;
    while (rest > 0x7f) {
      this.bytes[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.#position++] = rest;
  }

  raw(content: Uint8Array): void {
    this.bytes.set(content, this.#position);
    this.#position += content.length;
  }

  #tag(field: number, wireType: number): void {
    this.bytes[this.#position++] = (field << 3) | wireType;
  }

  #fixed64(value: number): void {
    this.bytes.writeUInt32LE(value % TWO_TO_32, this.#position);
    this.#position = this.bytes.writeUInt32LE(Math.floor(value / TWO_TO_32), this.#position + 4);
  }
}

/**
 * Walks over the fields of one message: `while (reader.next()) switch (reader.field) ...`, reading or passing over each.
 * Every method throws MalformedMessageError on bytes that do not fit.
 */
export class FieldReader {
  /** Number of the field that `next` came to. */
  field = 0;
  #wireType = 0;
  #position = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): boolean {
    if (this.#position >= this.bytes.length) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    if (this.field === 0) throw this.#malformed('field number 0');
    return true;
  }

  number(): number {
    this.#expect(FIXED64);
    return this.#fixed64();
  }

  id(): bigint {
    this.#expect(FIXED64);
    return this.bytes.readBigUInt64LE(this.#take(8));
  }

  claim(): boolean {
    return this.small() !== 0;
  }

  small(): number {
    this.#expect(VARINT);
    return this.#varint();
  }

  /** A view, not a copy. */
  content(): Buffer {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint();
    const start = this.#take(length);
    return this.bytes.subarray(start, start + length);
  }

  numbers(into: number[]): void {
    for (let left = this.#packedCount(); left > 0; left--) into.push(this.#fixed64());
  }

  ids(into: bigint[]): void {
    for (let left = this.#packedCount(); left > 0; left--) into.push(this.bytes.readBigUInt64LE(this.#take(8)));
  }

  /** Passes over a field that this build does not know. */
  passOver(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#skipVarint();
        break;
      case FIXED64:
        this.#take(8);
        break;
      case LENGTH_DELIMITED:
        this.#take(this.#varint());
        break;
      case 5:
        this.#take(4);
        break;
      default:
        throw this.#malformed(`wire type ${this.#wireType}`);
    }
  }

  /** How many values a repeated fixed64 field has here: packed, or one by one, as every protobuf reader must accept. */
  #packedCount(): number {
    if (this.#wireType === FIXED64) return 1;
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint();
    if (length % 8 !== 0) throw this.#malformed(`${length} bytes of packed 64-bit values`);
    if (length > this.bytes.length - this.#position) throw this.#malformed(`a length of ${length} bytes`);
    return length / 8;
  }

  #fixed64(): number {
    const start = this.#take(8);
    const high = this.bytes.readUInt32LE(start + 4);
    if (high >= HIGH_HALF_LIMIT) throw this.#malformed('a value beyond 2^53 - 1');
    return high * TWO_TO_32 + this.bytes.readUInt32LE(start);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.#take(1)] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value >= TWO_TO_32) break;
        return value;
      }
    }
    throw this.#malformed('a varint beyond 32 bits');
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count++) {
      if ((this.bytes[this.#take(1)] as number) < 0x80) return;
    }
    throw this.#malformed('a varint of more than 10 bytes');
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw this.#malformed(`wire type ${this.#wireType}, expected ${wireType}`);
    }
  }

  /** Moves past `length` bytes and says where they begin. */
  #take(length: number): number {
    const start = this.#position;
    if (length > this.bytes.length - start) throw this.#malformed(`the end, expected ${length} more bytes`);
    this.#position = start + length;
    return start;
  }

  #malformed(found: string): MalformedMessageError {
    return new MalformedMessageError(`message from a peer is malformed: found ${found} at byte ${this.#position}`);
  }
}
