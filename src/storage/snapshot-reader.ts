import { type Hash, createHash } from 'node:crypto';
import { crc32 } from '../lib/crc32.js';
import { SnapshotStreamError } from './errors.js';
import {
  HEAD_BYTES,
  MAX_BLOCK_BYTES,
  type Pair,
  type SnapshotHeader,
  TRAILER_BYTES,
  damaged,
  decodeHead,
  decodePairs,
  headBytes,
} from './snapshot-format.js';

const LENGTH_BYTES = 4;
const CRC_BYTES = 4;
const HASH_BYTES = 32;

/** What the next bytes of the stream are. */
type Expected = 'magic' | 'head' | 'length' | 'block' | 'trailer' | 'nothing';

/**
 * Takes a stream apart that snapshot-format.ts describes, and checks all of it: of no disk and in no hurry, so that a
 * backup file can be looked at with it too. Throws SnapshotStreamError, or NewerFormatError, at the first wrong byte it can tell.
 */
export class SnapshotReader {
  readonly #hash: Hash = createHash('sha256');
  #expected: Expected = 'magic';
  #neededBytes = HEAD_BYTES;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #header: SnapshotHeader | null = null;
  #crc = 0;
  #pairCount = 0;
  #lastKey: Buffer = Buffer.alloc(0);

  /** null until it has come in. */
  get header(): SnapshotHeader | null {
    return this.#header;
  }

  get pairCount(): number {
    return this.#pairCount;
  }

  /** The next bytes of the stream, cut anywhere, which must not change any more. Yields the pairs of each block they complete. */
  *read(data: Buffer): Iterable<readonly Pair[]> {
    for (let rest = data; rest.length > 0;) {
      if (this.#expected === 'nothing') throw damaged('it goes on after its end');
      const missing = this.#neededBytes - this.#gatheredBytes;
      const part = rest.subarray(0, missing);
      rest = rest.subarray(missing);
      this.#gathered.push(part);
      this.#gatheredBytes += part.length;
      if (this.#gatheredBytes < this.#neededBytes) return;
      const pairs = this.#take(this.#gatheredAll());
      if (pairs) yield pairs;
    }
  }

  /** Nothing more comes: throws unless the stream is complete. */
  end(): void {
    if (this.#expected !== 'nothing') throw new SnapshotStreamError('the snapshot ends too early; fetch it again');
  }

  #gatheredAll(): Buffer {
    const all = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return all;
  }

  #expect(expected: Expected, neededBytes: number): void {
    this.#expected = expected;
    this.#neededBytes = neededBytes;
  }

  #take(bytes: Buffer): Pair[] | null {
    switch (this.#expected) {
      case 'magic':
        // The head is wanted as a whole: its beginning stays gathered.
        this.#expect('head', headBytes(bytes));
        this.#gathered = [bytes];
        this.#gatheredBytes = bytes.length;
        return null;
      case 'head':
        this.#hash.update(bytes);
        ({ header: this.#header, crc: this.#crc } = decodeHead(bytes));
        this.#expect('length', LENGTH_BYTES);
        return null;
      case 'length':
        this.#takeLength(bytes);
        return null;
      case 'block':
        return this.#takeBlock(bytes);
      case 'trailer':
        this.#takeTrailer(bytes);
        return null;
      case 'nothing':
        return null;
    }
  }

  #takeLength(bytes: Buffer): void {
    this.#hash.update(bytes);
    const pairsBytes = bytes.readUInt32BE(0);
    if (pairsBytes > MAX_BLOCK_BYTES) {
      throw damaged(`a block has ${pairsBytes} bytes, expected at most ${MAX_BLOCK_BYTES}`);
    }
    if (pairsBytes === 0) this.#expect('trailer', TRAILER_BYTES);
    else this.#expect('block', CRC_BYTES + pairsBytes);
  }

  #takeBlock(bytes: Buffer): Pair[] {
    this.#hash.update(bytes);
    const encoded = bytes.subarray(CRC_BYTES);
    this.#crc = crc32(encoded, this.#crc);
    if (this.#crc !== bytes.readUInt32BE(0)) throw damaged(`the checksum after ${this.#pairCount} pairs is wrong`);
    const pairs = decodePairs(encoded);
    for (const [key] of pairs) {
      if (Buffer.compare(key, this.#lastKey) <= 0) throw damaged('its keys are not in order');
      this.#lastKey = key;
    }
    this.#pairCount += pairs.length;
    this.#expect('length', LENGTH_BYTES);
    return pairs;
  }

  #takeTrailer(bytes: Buffer): void {
    const hashAt = TRAILER_BYTES - HASH_BYTES;
    this.#hash.update(bytes.subarray(0, hashAt));
    if (bytes.readBigUInt64BE(0) !== BigInt(this.#pairCount)) {
      throw damaged(`it has ${this.#pairCount} pairs, expected ${bytes.readBigUInt64BE(0)}`);
    }
    if (!this.#hash.digest().equals(bytes.subarray(hashAt))) throw damaged('its SHA-256 is wrong');
    this.#expect('nothing', 0);
  }
}
