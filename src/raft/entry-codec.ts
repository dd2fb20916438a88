import { crc32 } from '../lib/crc32.js';
import { CorruptRecordError } from './errors.js';
import type { Entry, LogIndex, Term } from './messages.js';

/*
 * One encoding of an entry, made once when it is proposed and then shared by the log on disk and by AppendEntries:
 *
 *   offset  size  field
 *        0     4  payload length in bytes, big-endian
 *        4     4  CRC-32 of everything after this field
 *        8     8  index, big-endian
 *       16     8  term, big-endian
 *       24     n  payload
 */

/** Bytes of a record before its payload. */
export const RECORD_HEADER_BYTES = 24;

export function makeEntry(index: LogIndex, term: Term, payload: Uint8Array): Entry {
  const record = Buffer.allocUnsafeSlow(RECORD_HEADER_BYTES + payload.length);
  record.writeUInt32BE(payload.length, 0);
  writeUInt53BE(record, index, 8);
  writeUInt53BE(record, term, 16);
  record.set(payload, RECORD_HEADER_BYTES);
  record.writeUInt32BE(crc32(record.subarray(8)), 4);
  return { index, term, payload: record.subarray(RECORD_HEADER_BYTES), record };
}

/** The records of consecutive entries, one after the other. */
export function encodeRecords(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.map((entry) => entry.record));
}

/**
 * Reads records back. The entries are views into `bytes`, which must not be written to any more.
 * @throws CorruptRecordError when a checksum, a length or the order of the indexes is wrong; it names the position.
 */
export function decodeRecords(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const record = recordAt(bytes, offset);
    const index = readUInt53BE(record, 8);
    const previous = entries.at(-1);
    if (previous && index !== previous.index + 1) {
      throw new CorruptRecordError(`record at byte ${offset} has index ${index}, expected ${previous.index + 1}`);
    }
    entries.push({ index, term: readUInt53BE(record, 16), payload: record.subarray(RECORD_HEADER_BYTES), record });
    offset += record.length;
  }
  return entries;
}

function recordAt(bytes: Buffer, offset: number): Buffer {
  const available = bytes.length - offset;
  const needed =
    available < RECORD_HEADER_BYTES ? RECORD_HEADER_BYTES : RECORD_HEADER_BYTES + bytes.readUInt32BE(offset);
  if (available < needed) {
    throw new CorruptRecordError(`record at byte ${offset} needs ${needed} bytes, ${available} are left`);
  }
  const record = bytes.subarray(offset, offset + needed);
  const expected = record.readUInt32BE(4);
  const found = crc32(record.subarray(8));
  if (expected !== found) {
    throw new CorruptRecordError(`record at byte ${offset} has checksum ${hex(found)}, expected ${hex(expected)}`);
  }
  return record;
}

const TWO_TO_32 = 0x1_0000_0000;

function writeUInt53BE(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_TO_32), offset);
  target.writeUInt32BE(value % TWO_TO_32, offset + 4);
}

function readUInt53BE(source: Buffer, offset: number): number {
  const value = source.readUInt32BE(offset) * TWO_TO_32 + source.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(value)) throw new CorruptRecordError(`value ${value} is beyond 2^53 - 1`);
  return value;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
