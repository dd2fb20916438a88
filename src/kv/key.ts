/**
 * A key, or the end of a range of keys, as the state machine holds it: one character per byte (latin1), so that string
 * order is byte order. Never show it to people as it is.
 */
export type Key = string;

export function keyOf(bytes: Uint8Array): Key {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function bytesOf(key: Key): Buffer {
  return Buffer.from(key, 'latin1');
}

/** What `range_end` says when it means every key from `key` on. */
export const FROM_KEY: Key = '\0';

/** Where the interval that a request names by `key` and `range_end` ends, exclusively; null: it has no end. */
export function endOf(key: Key, rangeEnd: Key): Key | null {
  if (rangeEnd === '') return keyAfter(key);
  return rangeEnd === FROM_KEY ? null : rangeEnd;
}

/** The smallest key after `key`. */
export function keyAfter(key: Key): Key {
  return `${key}\0`;
}

/** Byte order. Faster in a tree than a general comparison of strings. */
export function compareKeys(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
