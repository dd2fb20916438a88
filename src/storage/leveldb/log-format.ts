import { crc32c, unmask } from './crc32c.js';

/*
 * LevelDB's log format, which its write-ahead logs (*.log) and its MANIFEST share. A file is a row of 32 KiB blocks; a
 * block is a row of fragments; up to six bytes at its end stay empty. Little-endian:
 *
 *   offset  size  field
 *        0     4  masked CRC-32C of type and data
 *        4     2  length of data
 *        6     1  type: 1 full, 2 first, 3 middle, 4 last fragment of a record
 *        7     n  data
 */

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** The smallest piece of a file that a disk writes as a whole. */
const SECTOR_BYTES = 512;

/** 3, a middle fragment, needs no word of its own. */
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/** The bytes cannot be what LevelDB wrote, nor what a crash in the middle of an append leaves. */
export class LogFormatError extends Error {}

export interface LogContent {
  readonly records: readonly Buffer[];
  /** The last append was cut off by a crash. What it held was never acknowledged as synced. */
  readonly isTorn: boolean;
}

interface Fragment {
  readonly type: number;
  readonly data: Buffer;
  readonly end: number;
}

/**
 * Reads a whole file. LevelDB itself drops a damaged record of a write-ahead log without a word and goes on with the next
 * (S04); here only a tail that was never completely written is let pass.
 * @throws LogFormatError that names the byte.
 */
export function readLog(bytes: Buffer): LogContent {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const fragment = fragmentAt(bytes, at);
    if (fragment === null) {
      if (!isTornTail(bytes, at)) throw new LogFormatError(`record at byte ${at} is damaged`);
      return { records, isTorn: true };
    }
    const begins = fragment.type === FULL || fragment.type === FIRST;
    if (begins !== (parts.length === 0)) throw new LogFormatError(`record at byte ${at} is out of order`);
    parts.push(fragment.data);
    if (fragment.type === FULL || fragment.type === LAST) {
      records.push(parts.length === 1 ? fragment.data : Buffer.concat(parts));
      parts = [];
    }
    at = fragment.end;
  }
  return { records, isTorn: parts.length > 0 };
}

/** The fragment that begins at `at`, or null when no intact one does. */
function fragmentAt(bytes: Buffer, at: number): Fragment | null {
  const limit = Math.min(bytes.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
  if (at + HEADER_BYTES > limit) return null;
  const type = bytes[at + 6]!;
  const end = at + HEADER_BYTES + bytes.readUInt16LE(at + 4);
  if (end > limit || type < FULL || type > LAST) return null;
  if (unmask(bytes.readUInt32LE(at)) !== crc32c(bytes, at + 6, end)) return null;
  return { type, data: bytes.subarray(at + HEADER_BYTES, end), end };
}

/**
 * Is `at` where a crash cut an append off? Then the file ends inside the fragment, or in sectors that were never filled.
 * Damage looks otherwise: intact records follow it, or the fragment has all its bytes.
 */
function isTornTail(bytes: Buffer, at: number): boolean {
  const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES;
  if (hasIntactFragmentAfter(bytes, at)) return false;
  if (isUnwrittenFrom(bytes, at)) return true;
  if (bytes.length >= blockEnd) return false;
  if (at + HEADER_BYTES > bytes.length) return true;
  if (at + HEADER_BYTES + bytes.readUInt16LE(at + 4) <= bytes.length) return false;
  // The length points beyond the end of the file: cut off, unless the file's end is where the fragment truly ended.
  return unmask(bytes.readUInt32LE(at)) !== crc32c(bytes, at + 6);
}

function hasIntactFragmentAfter(bytes: Buffer, at: number): boolean {
  const searched = Math.min(bytes.length, at + 2 * BLOCK_BYTES);
  for (let candidate = at + 1; candidate < searched; candidate++) {
    const fragment = fragmentAt(bytes, candidate);
    if (fragment !== null && fragment.data.length > 0) return true;
  }
  return false;
}

/** From some sector after `at` on, or from `at` itself, the file is nothing but zeros. */
function isUnwrittenFrom(bytes: Buffer, at: number): boolean {
  let zerosFrom = bytes.length;
  while (zerosFrom > at && bytes[zerosFrom - 1] === 0) zerosFrom--;
  return zerosFrom === at || Math.ceil(zerosFrom / SECTOR_BYTES) * SECTOR_BYTES < bytes.length;
}
