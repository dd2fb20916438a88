import type { Bytes } from './types.js';

export function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8');
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** As a range end: no end. As a key, with this as the end too: every key. */
export const ZERO_BYTE = Buffer.of(0);

/** Where the keys with this prefix end: the prefix with its last byte raised. No such key after 0xff...: no end. */
export function prefixEnd(prefix: Bytes): Buffer {
  const end = Buffer.from(toBuffer(prefix));
  for (let position = end.length - 1; position >= 0; position--) {
    const byte = end[position] ?? 0;
    if (byte < 0xff) {
      end[position] = byte + 1;
      return end.subarray(0, position + 1);
    }
  }
  return ZERO_BYTE;
}
