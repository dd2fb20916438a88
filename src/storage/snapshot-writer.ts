import { type Hash, createHash } from 'node:crypto';
import { crc32 } from '../lib/crc32.js';
import type { Database, Disk } from './disk.js';
import { SnapshotStreamError } from './errors.js';
import { KV_INCOMING_DATABASE } from './keyspace.js';
import { sealValue } from './kv-values.js';
import {
  BLOCK_HEAD_BYTES,
  HEAD_BYTES,
  MAX_BLOCK_BYTES,
  type SnapshotHeader,
  TRAILER_BYTES,
  damaged,
  decodeHead,
  decodePairs,
  headBytes,
} from './snapshot-format.js';

const HASH_BYTES = 32;

/** What the next bytes of the stream are. `size` is not known before `head` and `block` have been looked into. */
type Expected = 'magic' | 'head' | 'blockHead' | 'block' | 'trailer' | 'nothing';

/**
 * Writes a snapshot stream into a database of its own, beside the one in use. It becomes visible only when it is whole and
 * KvStoreOnDisk.installIncoming is called.
 */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #database: Database;
  readonly #hash: Hash = createHash('sha256');
  #isOpen = true;
  #expected: Expected = 'magic';
  #neededBytes = HEAD_BYTES;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #header: SnapshotHeader | null = null;
  #crc = 0;
  #pairCount = 0;
  #lastKey: Buffer = Buffer.alloc(0);

  private constructor(disk: Disk, database: Database) {
    this.#disk = disk;
    this.#database = database;
  }

  /** Throws away whatever an earlier transfer left. */
  static async open(disk: Disk): Promise<SnapshotWriter> {
    await disk.remove(KV_INCOMING_DATABASE);
    return new SnapshotWriter(disk, await disk.open(KV_INCOMING_DATABASE, { create: true }));
  }

  /** null until it has come in. */
  get header(): SnapshotHeader | null {
    return this.#header;
  }

  /** The next bytes of the stream, cut anywhere. One call at a time. Rejects with SnapshotStreamError when they are damaged. */
  async write(data: Buffer): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      if (this.#expected === 'nothing') throw damaged('it goes on after its end');
      const missing = this.#neededBytes - this.#gatheredBytes;
      const part = rest.subarray(0, missing);
      rest = rest.subarray(missing);
      this.#gathered.push(part);
      this.#gatheredBytes += part.length;
      if (this.#gatheredBytes === this.#neededBytes) await this.#take(this.#gatheredAll());
    }
  }

  /** The stream has ended: everything came, is as it was sent, and is on disk. Closes the database. */
  async finish(): Promise<void> {
    if (this.#expected !== 'nothing') throw new SnapshotStreamError('the snapshot ends too early; fetch it again');
    await this.#database.write([], { sync: true });
    await this.#close();
  }

  /** Throws away what has come, finished or not. */
  async abandon(): Promise<void> {
    await this.#close();
    await this.#disk.remove(KV_INCOMING_DATABASE);
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#database.close();
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

  async #take(bytes: Buffer): Promise<void> {
    switch (this.#expected) {
      case 'magic':
        // The head is wanted as a whole: its beginning stays gathered.
        this.#expect('head', headBytes(bytes));
        this.#gathered = [bytes];
        this.#gatheredBytes = bytes.length;
        return;
      case 'head':
        this.#hash.update(bytes);
        ({ header: this.#header, crc: this.#crc } = decodeHead(bytes));
        return this.#expect('blockHead', 4);
      case 'blockHead':
        return this.#takeBlockHead(bytes);
      case 'block':
        return this.#takeBlock(bytes);
      case 'trailer':
        return this.#takeTrailer(bytes);
      case 'nothing':
    }
  }

  #takeBlockHead(bytes: Buffer): void {
    this.#hash.update(bytes);
    const pairsBytes = bytes.readUInt32BE(0);
    if (pairsBytes > MAX_BLOCK_BYTES) {
      throw damaged(`a block has ${pairsBytes} bytes, expected at most ${MAX_BLOCK_BYTES}`);
    }
    if (pairsBytes === 0) this.#expect('trailer', TRAILER_BYTES);
    else this.#expect('block', BLOCK_HEAD_BYTES - 4 + pairsBytes);
  }

  async #takeBlock(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    const encoded = bytes.subarray(4);
    this.#crc = crc32(encoded, this.#crc);
    if (this.#crc !== bytes.readUInt32BE(0)) throw damaged(`the checksum after ${this.#pairCount} pairs is wrong`);
    const pairs = decodePairs(encoded);
    for (const [key] of pairs) {
      if (Buffer.compare(key, this.#lastKey) <= 0) throw damaged('its keys are not in order');
      this.#lastKey = key;
    }
    this.#pairCount += pairs.length;
    this.#expect('blockHead', 4);
    await this.#database.write(
      pairs.map(([key, value]) => ({ key, value: sealValue(key, value) })),
      { sync: false },
    );
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
