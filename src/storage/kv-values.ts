import { crc32 } from '../lib/crc32.js';

/*
 * Every value of the kv database is followed by the CRC-32 (4 bytes, big-endian) of its key and itself: LevelDB does not
 * compare its own checksums when it reads (S09).
 */
const CHECKSUM_BYTES = 4;

export function sealValue(key: Buffer, value: Buffer): Buffer {
  const sealed = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  sealed.set(value);
  sealed.writeUInt32BE(crc32(value, crc32(key)), value.length);
  return sealed;
}

/** The value, a view into `sealed`; null when the checksum says that it is not what was written under `key`. */
export function unsealValue(key: Buffer, sealed: Buffer): Buffer | null {
  const end = sealed.length - CHECKSUM_BYTES;
  if (end < 0) return null;
  const value = sealed.subarray(0, end);
  return sealed.readUInt32BE(end) === crc32(value, crc32(key)) ? value : null;
}
