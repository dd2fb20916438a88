import { crc32 } from '../lib/crc32.js';
import { DamagedStoreError, KvError } from './errors.js';
import type { Key } from './key.js';
import type { Revision } from './ports.js';
import { decodeKeyValue, encodeKeyValue } from './wire/key-value.js';
import type { KeyValue } from './wire/requests.js';

/*
 * One change of one key in the table `revision`, under its revision (12 bytes: main, sub).
 *
 *   offset  size  field
 *        0     4  CRC-32 of the record with zeros here, begun from the revision: under a wrong key it does not match
 *        4     1  kind: 1 put, 2 deletion
 *        5     n  mvccpb.KeyValue; of a deletion only key and mod_revision
 */

export const REVISION_KEY_BYTES = 12;
const CHECKSUM_BYTES = 4;
const NO_CHECKSUM = Buffer.alloc(CHECKSUM_BYTES);
const RECORD_HEADER_BYTES = 5;
const PUT = 1;
const DELETION = 2;

/** A `version` of 0 is a deletion. */
export function encodeRecord(
  key: Key,
  createRevision: number,
  main: number,
  sub: number,
  version: number,
  value: Uint8Array,
  lease: bigint,
): Buffer {
  const record = encodeKeyValue(RECORD_HEADER_BYTES, key, createRevision, main, version, value, lease);
  record.writeUInt32BE(0, 0);
  record[4] = version > 0 ? PUT : DELETION;
  record.writeUInt32BE(crc32(record, seedOf(main, sub)), 0);
  return record;
}

/** The encoded KeyValue in a record, as a view. */
export function keyValueOf(record: Buffer): Buffer {
  return record.subarray(RECORD_HEADER_BYTES);
}

/** @throws DamagedStoreError */
export function verifyRecord(record: Buffer, main: number, sub: number): void {
  if (record.length >= RECORD_HEADER_BYTES) {
    const checksum = crc32(record.subarray(CHECKSUM_BYTES), crc32(NO_CHECKSUM, seedOf(main, sub)));
    if (record.readUInt32BE(0) === checksum) return;
  }
  throw damagedRevision(main, sub, 'the checksum does not match');
}

/** What a verified record says, checked for consistency. Of a deletion, version and createRevision are 0. */
export function decodeRecord(record: Buffer, main: number, sub: number): KeyValue {
  verifyRecord(record, main, sub);
  const kv = decodeSound(record);
  const kind = record[4];
  const isSound =
    kv?.modRevision === main &&
    ((kind === PUT && kv.version > 0 && kv.createRevision > 0) || (kind === DELETION && kv.version === 0));
  if (!isSound) throw damagedRevision(main, sub, 'the record contradicts itself');
  return kv;
}

function decodeSound(record: Buffer): KeyValue | null {
  try {
    return decodeKeyValue(keyValueOf(record));
  } catch (error) {
    if (error instanceof KvError) return null; // what a client's request may be, a record may not
    throw error;
  }
}

export function encodeRevision(main: number, sub: number): Buffer {
  const key = Buffer.allocUnsafe(REVISION_KEY_BYTES);
  key.writeUInt32BE(Math.floor(main / 2 ** 32), 0);
  key.writeUInt32BE(main % 2 ** 32, 4);
  key.writeUInt32BE(sub, 8);
  return key;
}

export function decodeRevision(key: Buffer): Revision {
  const high = key.length === REVISION_KEY_BYTES ? key.readUInt32BE(0) : Infinity;
  if (high >= 2 ** 21) throw new DamagedStoreError('revision', key.toString('hex'), 'this is no revision');
  return { main: high * 2 ** 32 + key.readUInt32BE(4), sub: key.readUInt32BE(8) };
}

export function damagedRevision(main: number, sub: number, problem: string): DamagedStoreError {
  return new DamagedStoreError('revision', `${main}.${sub}`, problem);
}

/** Odd multiplier: different subs of one revision begin differently. */
function seedOf(main: number, sub: number): number {
  return ((main % 2 ** 32) ^ Math.floor(main / 2 ** 32) ^ Math.imul(sub, 0x9e3779b1)) >>> 0;
}
