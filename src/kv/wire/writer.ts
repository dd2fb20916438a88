import type { Key } from '../key.js';
import { DELIMITED, VARINT, tagOf } from './reader.js';

/** Bytes that a varint takes. `value` is a whole number from 0 to 2^53. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** @returns the position after it */
export function writeVarint(target: Buffer, position: number, value: number): number {
  let rest = value;
  while (rest > 0x7fffffff) {
    target[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

/** Bytes that a 64-bit integer takes; a negative one takes ten. */
export function bigVarintSize(value: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, value); rest >= 0x80n; rest >>= 7n) size++;
  return size;
}

export function writeBigVarint(target: Buffer, position: number, value: bigint): number {
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    target[position++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  target[position++] = Number(rest);
  return position;
}

const FIRST_CAPACITY = 256;

/** Builds one message, field by field. As proto3 wants it, scalars that are zero and fields that are empty are left out. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #position = 0;

  int53(field: number, value: number): this {
    if (value === 0) return this;
    if (value < 0) return this.int64(field, BigInt(value));
    this.#reserve(20);
    this.#position = writeVarint(this.#bytes, this.#position, tagOf(field, VARINT));
    this.#position = writeVarint(this.#bytes, this.#position, value);
    return this;
  }

  /** Also for uint64. */
  int64(field: number, value: bigint): this {
    if (value === 0n) return this;
    this.#reserve(20);
    this.#position = writeVarint(this.#bytes, this.#position, tagOf(field, VARINT));
    this.#position = writeBigVarint(this.#bytes, this.#position, value);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.int53(field, value ? 1 : 0);
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }

  key(field: number, value: Key): this {
    return this.bytes(field, Buffer.from(value, 'latin1'));
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  /** An embedded message, present even when it is empty; `parts` together are its encoding. */
  message(field: number, ...parts: readonly Uint8Array[]): this {
    let size = 0;
    for (const part of parts) size += part.length;
    this.#reserve(20 + size);
    this.#position = writeVarint(this.#bytes, this.#position, tagOf(field, DELIMITED));
    this.#position = writeVarint(this.#bytes, this.#position, size);
    for (const part of parts) {
      this.#bytes.set(part, this.#position);
      this.#position += part.length;
    }
    return this;
  }

  /** What was written, as a view. The writer must not be used again. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#position);
  }

  #reserve(size: number): void {
    const needed = this.#position + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#position);
    this.#bytes = larger;
  }
}
