import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRecords, encodeRecords, makeEntry, RECORD_HEADER_BYTES } from '../../src/raft/entry-codec.js';
import { CorruptRecordError } from '../../src/raft/errors.js';

const anyEntries = fc
  .record({
    first: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 10 }),
    term: fc.maxSafeNat(),
    payloads: fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ first, term, payloads }) => payloads.map((payload, position) => makeEntry(first + position, term, payload)));

test('records come back as they went', () => {
  fc.assert(
    fc.property(anyEntries, (entries) => {
      const decoded = decodeRecords(encodeRecords(entries));
      assert.deepEqual(
        decoded.map(({ index, term, payload }) => ({ index, term, payload: [...payload] })),
        entries.map(({ index, term, payload }) => ({ index, term, payload: [...payload] })),
      );
      for (const [position, { record }] of decoded.entries()) assert.ok(entries[position]?.record.equals(record));
    }),
  );
});

test('any single damaged bit is noticed', () => {
  fc.assert(
    fc.property(anyEntries, fc.nat(), (entries, place) => {
      const bytes = Buffer.from(encodeRecords(entries));
      const bit = place % (8 * bytes.length);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => decodeRecords(bytes), CorruptRecordError);
    }),
  );
});

test('a cut is noticed unless it falls between two records', () => {
  fc.assert(
    fc.property(anyEntries, fc.nat(), (entries, place) => {
      const bytes = encodeRecords(entries);
      const length = place % bytes.length;
      const ends = new Set([0]);
      let end = 0;
      for (const { record } of entries) ends.add((end += record.length));
      if (ends.has(length)) assert.ok(decodeRecords(bytes.subarray(0, length)).length < entries.length);
      else assert.throws(() => decodeRecords(bytes.subarray(0, length)), CorruptRecordError);
    }),
  );
});

test('a gap between indexes is noticed, and the error says where', () => {
  const bytes = encodeRecords([makeEntry(7, 1, Buffer.from('a')), makeEntry(9, 1, Buffer.from('b'))]);
  assert.throws(() => decodeRecords(bytes), new CorruptRecordError('record at byte 25 has index 9, expected 8'));
});

test('the layout is what it says: length, checksum, index, term, payload', () => {
  const { record, payload } = makeEntry(2 ** 40 + 1, 2 ** 33 + 5, Buffer.from('hello'));
  assert.equal(record.length, RECORD_HEADER_BYTES + 5);
  assert.equal(record.readUInt32BE(0), 5);
  assert.equal(record.readBigUInt64BE(8), 2n ** 40n + 1n);
  assert.equal(record.readBigUInt64BE(16), 2n ** 33n + 5n);
  assert.equal(payload.buffer, record.buffer, 'the payload is a view into the record');
});

test('an entry does not change with the bytes it was made from', () => {
  const source = Buffer.from('before');
  const entry = makeEntry(1, 1, source);
  source.fill(0);
  assert.equal(entry.payload.toString(), 'before');
});
