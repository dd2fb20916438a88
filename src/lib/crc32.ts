import { crc32 as zlibCrc32 } from 'node:zlib';

/** CRC-32 (IEEE 802.3) of `data`, continued from `previous`. Unsigned 32 bits. */
export function crc32(data: Uint8Array, previous = 0): number {
  return zlibCrc32(data, previous);
}
