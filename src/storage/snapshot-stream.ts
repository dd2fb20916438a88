import { createHash } from 'node:crypto';
import type { DatabaseView } from './disk.js';
import { DamageError } from './errors.js';
import { EVERYTHING } from './keyspace.js';
import { unsealValue } from './kv-values.js';
import {
  BLOCK_TARGET_BYTES,
  CRC_BYTES,
  type Pair,
  type SnapshotHeader,
  TRAILER_BYTES,
  encodeBlock,
  encodeHead,
  pairBytes,
} from './snapshot-format.js';

export type { SnapshotHeader } from './snapshot-format.js';

/** A piece of the stream is no longer than this. */
export const MAX_PIECE_BYTES = 1024 * 1024;

/** A snapshot on its way out. */
export interface SnapshotStream {
  /** The next piece, at most MAX_PIECE_BYTES; null after the last. */
  nextChunk(): Promise<Buffer | null>;
  /** At any time. Closes the view. */
  close(): Promise<void>;
}

/** The content of a kv database, as `view` has it, in the form of snapshot-format.ts. `path` is for messages. */
export function openSnapshotStream(path: string, view: DatabaseView, header: SnapshotHeader): SnapshotStream {
  const pieces = piecesOf(path, view, header);
  return {
    nextChunk: async () => (await pieces.next()).value ?? null,
    close: async () => {
      await pieces.return(undefined);
      await view.close();
    },
  };
}

async function* piecesOf(path: string, view: DatabaseView, header: SnapshotHeader): AsyncGenerator<Buffer, undefined> {
  const hash = createHash('sha256');
  for await (const bytes of framesOf(path, view, header)) {
    hash.update(bytes);
    yield* piecesIn(bytes);
  }
  yield hash.digest();
}

function* piecesIn(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) yield bytes.subarray(at, at + MAX_PIECE_BYTES);
}

/** Everything but the hash. */
async function* framesOf(path: string, view: DatabaseView, header: SnapshotHeader): AsyncIterable<Buffer> {
  const head = encodeHead(header);
  yield head;
  let crc = head.readUInt32BE(head.length - CRC_BYTES);
  let count = 0;
  for await (const pairs of blocksOf(path, view)) {
    const encoded = encodeBlock(pairs, crc);
    yield encoded.block;
    crc = encoded.crc;
    count += pairs.length;
  }
  const end = Buffer.alloc(4 + TRAILER_BYTES - 32);
  end.writeBigUInt64BE(BigInt(count), 4);
  yield end;
}

async function* blocksOf(path: string, view: DatabaseView): AsyncIterable<Pair[]> {
  let pairs: Pair[] = [];
  let sizeBytes = 0;
  for await (const page of view.pages(EVERYTHING)) {
    for (const [key, sealed] of page) {
      const value = unsealValue(key, sealed);
      if (value === null) throw new DamageError(path, `the value of key ${key.toString('hex')} is damaged`);
      const pair = [key, value] as const;
      pairs.push(pair);
      sizeBytes += pairBytes(pair);
      if (sizeBytes < BLOCK_TARGET_BYTES) continue;
      yield pairs;
      pairs = [];
      sizeBytes = 0;
    }
  }
  if (pairs.length > 0) yield pairs;
}
