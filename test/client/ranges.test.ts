import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prefixEnd, ZERO_BYTE } from '../../src/client/ranges.js';

test('a prefix ends where its last byte is raised, carried over 0xff', () => {
  assert.deepEqual(prefixEnd('ab'), Buffer.from('ac'));
  assert.deepEqual(prefixEnd(Buffer.of(0x61, 0xff)), Buffer.of(0x62));
  assert.deepEqual(prefixEnd(Buffer.of(0xff, 0xff)), ZERO_BYTE);
});

test('a key lies below the end of a prefix exactly when it begins with the prefix or comes before it', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(bytes, fc.uint8Array({ maxLength: 6 }), (prefix, key) => {
      const end = prefixEnd(prefix);
      const hasPrefix = Buffer.from(key.subarray(0, prefix.length)).equals(Buffer.from(prefix));
      const below = end.equals(ZERO_BYTE) || Buffer.compare(key, end) < 0;
      assert.equal(hasPrefix, Buffer.compare(key, prefix) >= 0 && below);
    }),
  );
});
