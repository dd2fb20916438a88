import { crc32 } from '../lib/crc32.js';
import type { SnapshotMarker } from '../raft/messages.js';
import { NewerFormatError, SnapshotStreamError } from './errors.js';

/*
 * A state machine as a stream of bytes: what a leader sends to a follower that is too far behind, and a backup file.
 * Numbers are big-endian.
 *
 *   head      8 bytes   "RAFTKVSN"
 *             4         version of this format: 1
 *             4         length of the header
 *             n         header: JSON, SnapshotHeader with its ids in hexadecimal
 *             4         CRC-32 of everything before
 *   block     4         length of its pairs, more than 0
 *             4         CRC-32 of its pairs, continued from that of the block before (the first: from the head's)
 *             n         pairs: length of key (4), length of value (4), key, value; the first byte of a key names its
 *                       table (keyspace.ts); in ascending order of keys throughout the stream
 *   ...                 more blocks
 *   trailer   4         0, where a block would have its length
 *             8         number of pairs
 *            32         SHA-256 of everything before
 */

const MAGIC = Buffer.from('RAFTKVSN', 'latin1');
const VERSION = 1;
/** Magic, version and length of the header. */
export const HEAD_BYTES = 16;
export const CRC_BYTES = 4;
const BLOCK_HEAD_BYTES = 8;
/** Count and hash. */
export const TRAILER_BYTES = 40;
const PAIR_HEAD_BYTES = 8;

/** A block is closed when it has grown to this; one large pair may take it beyond. */
export const BLOCK_TARGET_BYTES = 256 * 1024;
/** What a reader accepts, so that a damaged length cannot make it gather without end. */
export const MAX_BLOCK_BYTES = 128 * 1024 * 1024;
const MAX_HEADER_BYTES = 64 * 1024;

/** What a stream says of itself. */
export interface SnapshotHeader {
  readonly clusterId: bigint;
  /** Who wrote it. */
  readonly memberId: bigint;
  /** The entry through which its content is applied, and the members as of then. */
  readonly marker: SnapshotMarker;
  /** Revision of the key space. */
  readonly revision: number;
}

export type Pair = readonly [Buffer, Buffer];

export function encodeHead(header: SnapshotHeader): Buffer {
  const { index, term, configuration } = header.marker;
  const json = JSON.stringify({
    clusterId: header.clusterId.toString(16),
    memberId: header.memberId.toString(16),
    index,
    term,
    voters: configuration.voters.map((voter) => voter.toString(16)),
    revision: header.revision,
  });
  const text = Buffer.from(json);
  const head = Buffer.alloc(HEAD_BYTES + text.length + CRC_BYTES);
  head.set(MAGIC);
  head.writeUInt32BE(VERSION, 8);
  head.writeUInt32BE(text.length, 12);
  head.set(text, HEAD_BYTES);
  head.writeUInt32BE(crc32(head.subarray(0, -CRC_BYTES)), HEAD_BYTES + text.length);
  return head;
}

/** Bytes of the head as a whole, from its first HEAD_BYTES. */
export function headBytes(start: Buffer): number {
  if (!start.subarray(0, 8).equals(MAGIC))
    throw new SnapshotStreamError('this is no raftkv snapshot: it does not begin with RAFTKVSN');
  const version = start.readUInt32BE(8);
  if (version > VERSION) {
    throw new NewerFormatError(
      `the snapshot has format ${version}, this version reads up to ${VERSION}; use the version that wrote it, or a newer one`,
    );
  }
  const headerBytes = start.readUInt32BE(12);
  if (headerBytes > MAX_HEADER_BYTES)
    throw damaged(`its header has ${headerBytes} bytes, expected at most ${MAX_HEADER_BYTES}`);
  return HEAD_BYTES + headerBytes + CRC_BYTES;
}

/** @returns the header, and the CRC-32 that the first block continues. */
export function decodeHead(head: Buffer): { readonly header: SnapshotHeader; readonly crc: number } {
  const crc = head.readUInt32BE(head.length - CRC_BYTES);
  if (crc32(head.subarray(0, -CRC_BYTES)) !== crc) throw damaged('the checksum of its header is wrong');
  const header = JSON.parse(head.toString('utf8', HEAD_BYTES, head.length - CRC_BYTES)) as {
    clusterId: string;
    memberId: string;
    index: number;
    term: number;
    voters: string[];
    revision: number;
  };
  return {
    header: {
      clusterId: BigInt(`0x${header.clusterId}`),
      memberId: BigInt(`0x${header.memberId}`),
      marker: {
        index: header.index,
        term: header.term,
        configuration: { voters: header.voters.map((voter) => BigInt(`0x${voter}`)) },
      },
      revision: header.revision,
    },
    crc,
  };
}

/** @param crc of the block before. */
export function encodeBlock(pairs: readonly Pair[], crc: number): { readonly block: Buffer; readonly crc: number } {
  let sizeBytes = 0;
  for (const pair of pairs) sizeBytes += pairBytes(pair);
  const block = Buffer.allocUnsafe(BLOCK_HEAD_BYTES + sizeBytes);
  let at = BLOCK_HEAD_BYTES;
  for (const [key, value] of pairs) {
    block.writeUInt32BE(key.length, at);
    block.writeUInt32BE(value.length, at + 4);
    block.set(key, at + PAIR_HEAD_BYTES);
    block.set(value, at + PAIR_HEAD_BYTES + key.length);
    at += PAIR_HEAD_BYTES + key.length + value.length;
  }
  const next = crc32(block.subarray(BLOCK_HEAD_BYTES), crc);
  block.writeUInt32BE(sizeBytes, 0);
  block.writeUInt32BE(next, 4);
  return { block, crc: next };
}

export function pairBytes([key, value]: Pair): number {
  return PAIR_HEAD_BYTES + key.length + value.length;
}

/** The pairs of a block whose checksum is right, as views into it. */
export function decodePairs(pairs: Buffer): Pair[] {
  const decoded: Pair[] = [];
  for (let at = 0; at < pairs.length;) {
    if (at + PAIR_HEAD_BYTES > pairs.length) throw damaged('a block ends within a pair');
    const valueAt = at + PAIR_HEAD_BYTES + pairs.readUInt32BE(at);
    const end = valueAt + pairs.readUInt32BE(at + 4);
    if (end > pairs.length) throw damaged('a block ends within a pair');
    decoded.push([pairs.subarray(at + PAIR_HEAD_BYTES, valueAt), pairs.subarray(valueAt, end)]);
    at = end;
  }
  return decoded;
}

export function damaged(found: string): SnapshotStreamError {
  return new SnapshotStreamError(`the snapshot is damaged: ${found}; fetch it again`);
}
