import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messages } from './etcd-messages.js';
import { decode, encode, messageTypes } from './protobuf.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('fields come out as the protobuf encoding guide says', () => {
  const types = messageTypes({ Test: 'a:int64=1 b:string=2 c:Inner=3', Inner: 'a:int64=1' });
  assert.deepEqual(encode(types.Test, { a: 150 }), hex('08 96 01'));
  assert.deepEqual(encode(types.Test, { b: 'testing' }), hex('12 07 74 65 73 74 69 6e 67'));
  assert.deepEqual(encode(types.Test, { c: { a: 150 } }), hex('1a 03 08 96 01'));
  assert.deepEqual(encode(types.Test, { a: -2 }), hex('08 fe ff ff ff ff ff ff ff ff 01'));
});

test('a message survives the way there and back, numbers of 64 bits and all', () => {
  const decoded = {
    header: { cluster_id: 2n ** 64n - 1n, revision: 5n },
    kvs: [
      { key: Buffer.from([0, 255]), lease: -(2n ** 63n) },
      { key: Buffer.from('b'), value: Buffer.alloc(300, 'x') },
    ],
    more: true,
  };
  assert.deepEqual(decode(messages.RangeResponse, encode(messages.RangeResponse, decoded)), decoded);
});

test('fields that are not known are kept, whatever their type', () => {
  const bytes = Buffer.concat([
    encode(messages.PutResponse, {}),
    hex('28 07 32 01 61 3d 01020304 41 0102030405060708'),
  ]);
  assert.deepEqual(decode(messages.PutResponse, bytes), {
    '?5': [7n],
    '?6': [Buffer.from('a')],
    '?7': [hex('01020304')],
    '?8': [hex('0102030405060708')],
  });
});

test('bytes that are no such message are refused', () => {
  assert.throws(() => decode(messages.PutResponse, hex('0a 05 08')), /ends within a field/);
  assert.throws(() => decode(messages.RangeResponse, hex('20 80')), /ends within a varint/);
  assert.throws(() => decode(messages.RangeResponse, hex('12 02 08 01')), /KeyValue|key/);
  assert.throws(() => decode(messages.RangeResponse, hex('0c')), /wire type 4/);
});

test('a field that the message does not have is a mistake of the test', () => {
  assert.throws(() => encode(messages.PutRequest, { kee: 'a' }), /PutRequest has no field kee/);
});
